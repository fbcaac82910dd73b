"""The history: every message and every contact, in a lake for analysts. Begin with `lake`, below it `engine`."""
