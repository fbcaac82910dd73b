"""Reports: what became of the messages, on pages and in files. Begin with `reporting`."""
