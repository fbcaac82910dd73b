"""People: how they come in, what they may do, and what they say of themselves. Begin with `signing_in`."""
