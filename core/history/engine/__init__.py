"""DuckDB, as everything above holds it: one door, its extensions, its faults. Begin with `door`."""
