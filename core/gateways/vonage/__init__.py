"""Vonage's SMS API. Begin with `gateway`."""
