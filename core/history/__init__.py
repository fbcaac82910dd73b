"""The message lake: every message and every contact, for analysts."""
