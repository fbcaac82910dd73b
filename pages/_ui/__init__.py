"""What screens share: frame, session, tables, charts, formats. What one has for itself is in a folder of its own."""
