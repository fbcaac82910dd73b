"""Suppressions: who gets no messages. Begin with `suppressions`; `changes` is for those who hold a copy."""
