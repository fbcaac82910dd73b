"""Who may ask, and how much: sessions, cookies, limits, where a request comes from. Begin with `guard`."""
