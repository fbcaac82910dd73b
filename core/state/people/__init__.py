"""Rows of people: accounts they belong to, browsers, links, what they are told. Begin with `users`."""
