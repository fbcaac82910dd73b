"""Parts that several screens have: what is closed and why, downloads, pictures. Begin with `closed`."""
