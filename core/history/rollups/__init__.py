"""Rollups: messages counted by day, and every figure that is made of them. Begin with `rollups`, then `adding_up`."""
