"""Campaigns: their states and drafts, when they begin, and what a launch would do. Begin with `campaigns`."""
