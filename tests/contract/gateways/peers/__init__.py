"""SMSCs written by others, run as processes."""
