"""Gateways: what each kind asks to be told, and how one is set up. Begin with `gateways`."""
