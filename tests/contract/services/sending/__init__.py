"""What is done with replies, on both databases."""
