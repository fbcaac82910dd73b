"""Heliograph's core: everything the product knows, without a user interface or a task queue."""
