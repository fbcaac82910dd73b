"""Audiences: contacts, what a launch makes of them, and what became of each. Begin with `audience_store`."""
