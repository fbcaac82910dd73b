"""Outside traffic, from a CDR file into the history. Begin with `importing_traffic`."""
