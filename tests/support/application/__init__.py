"""A whole application in the test's own process, and what people do with it. Begin with `house`."""
