"""Processes beside the test's own: servers, browsers, tools. Begin with `installation`."""
