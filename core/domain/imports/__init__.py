"""What people bring in: lists of contacts (`lists`), and files of messages sent elsewhere (`cdr`)."""
