"""What only the screen Message History has."""
