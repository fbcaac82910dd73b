"""What only the screen Create Campaign has."""
