"""What stands in a message: its alphabet, segments, placeholders and sender. Begin with `segments`."""
