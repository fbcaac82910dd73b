"""What only the screen Distribution Lists has."""
