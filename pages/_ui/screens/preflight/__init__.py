"""What only the screen Preflight has."""
