"""Times as people mean them: days and months of their own zone. Begin with `periods`."""
