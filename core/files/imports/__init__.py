"""Reading what people bring in: contact lists, CDR files, price lists. Begin with `reading`."""
