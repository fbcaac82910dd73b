"""An SMPP 3.4 client: binds, windows, and receipts that are answered only when they are kept. Begin with `gateway`."""
