"""What only the screen of one campaign has."""
