"""Where providers of gateways report receipts and replies. Begin with `callbacks`."""
