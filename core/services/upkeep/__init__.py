"""Upkeep: what workers do so that all else stays fast and small. Begin with `rolling_up`."""
