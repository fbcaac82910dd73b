"""Files of people: reading what they upload, writing what they take away. Begin with `imports`, and with `apart`."""
