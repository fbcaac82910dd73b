"""The lake itself: its connection, its catalog, whose it is, and how it is kept. Begin with `connection`."""
