"""What the installation keeps of itself: what waits, what is to be forgotten. Begin with `waiting`."""
