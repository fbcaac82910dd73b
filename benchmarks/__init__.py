"""Measurements of what docs/performance.md promises: `python -m benchmarks <name>`."""
