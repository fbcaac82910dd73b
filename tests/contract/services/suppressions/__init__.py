"""Suppressions, on both databases."""
