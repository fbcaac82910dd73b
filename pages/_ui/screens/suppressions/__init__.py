"""What only the screen Suppressions has."""
