"""Tools for writing SQL and for what goes into it; nothing here connects to anything."""
