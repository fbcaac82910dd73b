"""What screens share: frame, session, tables, charts, formats. What one has for itself is in `screens`."""
