"""Writing what people take away, a batch at a time. Begin with `export_files`."""
