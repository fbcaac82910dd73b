"""The lake itself: its connection, its tables, and how both are kept. Begin with `connection`."""
