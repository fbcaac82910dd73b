"""Cases that several tests go through, so that all of them mean the same."""
