"""People: who they are, how they come in, and what they may do. Begin with `people`, then `permissions`."""
