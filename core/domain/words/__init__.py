"""Words letter by letter: what people type, and what we call it. Begin with `control_characters`."""
