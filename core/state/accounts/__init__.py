"""Rows of traffic accounts: their prices and pace, and to whom they do not send. Begin with `accounts`."""
