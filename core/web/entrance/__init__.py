"""The way in: log in, the first visit, and the pages behind links of mails. Begin with `sign_in`."""
