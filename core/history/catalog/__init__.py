"""The catalog of the lake: where it is, whose it is, and who may write. Begin with `catalog`."""
