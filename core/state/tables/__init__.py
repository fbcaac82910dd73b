"""The tables, and what every repository does with a row: lease it, search it. Begin with `models`."""
