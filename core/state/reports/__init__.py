"""Rows of what people look at and take away: the audit, exports, views. Begin with `audit`."""
