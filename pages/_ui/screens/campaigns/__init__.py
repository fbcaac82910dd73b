"""What only the screen Campaigns has."""
