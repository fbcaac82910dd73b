"""What only the screen Settings has."""
