"""What every screen shares: frame, session, tables, charts, formats."""
