"""How statements reach SQLite or PostgreSQL: one door, one writer at a time. Begin with `store`."""
