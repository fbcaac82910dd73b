"""Rows of campaigns, from the draft to the last receipt. Begin with `campaigns`, then `ledger`."""
