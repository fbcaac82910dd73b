"""What only the screen of one message has."""
