"""The transactional store: who, what and how far."""
