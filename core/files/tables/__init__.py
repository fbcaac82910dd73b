"""Files that are tables: their kind, their rows, and the rows that are refused. Begin with `delimited`."""
