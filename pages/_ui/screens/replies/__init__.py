"""What only the screen Replies has."""
