"""A session with an SMSC: binds kept up, windows, and what an answer means. Begin with `sending`."""
