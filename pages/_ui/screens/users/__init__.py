"""What only the screen Users has."""
