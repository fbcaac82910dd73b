"""What people do with suppressions, and files of them."""
