"""Distribution lists, from a file to their entries. Begin with `importing_lists`."""
