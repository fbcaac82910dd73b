"""What people ask about messages, and how they ask it. Begin with `message_query`, then `statistics`."""
