"""Traffic accounts: who may send how fast, and what a segment costs. Begin with `accounts`."""
