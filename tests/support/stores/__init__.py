"""Lakes, databases and disks to test with, and what makes them quick to have. Begin with `messages`."""
