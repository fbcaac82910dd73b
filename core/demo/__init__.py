"""The demo company: a history to look at, generated from a seed."""
