"""What only the screen Traffic Accounts has."""
