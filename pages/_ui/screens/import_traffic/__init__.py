"""What only the screen Import Traffic has."""
