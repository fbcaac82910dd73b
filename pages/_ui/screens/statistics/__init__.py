"""What only the screen Statistics has."""
