"""Screens: one script per page of the guide, over the services."""
