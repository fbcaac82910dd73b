"""What only the screen Quick Send has."""
