"""What one screen has for itself, in a folder of the screen's name."""
