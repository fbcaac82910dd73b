"""Mitto's HTTP interface: one message at a time, or many with the same text. Begin with `gateway`."""
