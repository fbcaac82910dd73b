"""Background work: Huey tasks over the services."""
