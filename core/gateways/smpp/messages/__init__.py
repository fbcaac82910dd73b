"""What messages of SMPP say: texts as parts, receipts and replies read from what came. Begin with `receipts`."""
