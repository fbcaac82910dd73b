"""What only the screen Gateways has."""
