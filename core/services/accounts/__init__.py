"""Traffic accounts: what they may send, by which gateway and at which price. Begin with `managing_accounts`."""
