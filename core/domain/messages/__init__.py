"""Messages and their receipts: how far each has come, and why it went no further. Begin with `messages`."""
