"""Sending: what workers do with a campaign that is Active, and with its receipts. Begin with `submitting`."""
