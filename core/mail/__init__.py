"""Email: to a mail server, or to a folder where there is none."""
