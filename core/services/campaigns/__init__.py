"""Campaigns, from the first draft to what becomes of one under way. Begin with `composing`, then `launching`."""
