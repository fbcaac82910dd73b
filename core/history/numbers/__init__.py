"""Numbers: finding messages by a part of their receiver's. Begin with `number_search`."""
