"""Stand-ins for what a test is not about: browsers, clocks, mail, luck. Begin with `clock`."""
