"""Messages: how they come into the history, and how they are read one by one. Begin with `message_store`."""
