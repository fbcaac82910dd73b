"""`python -m core`: Heliograph from the command line."""

import sys

if sys.argv[1:2] == ["smsc"]:
    # It needs no installation, and is there at once without all that one is made of.
    from core.cli_smsc import main
else:
    from core.cli import main

sys.exit(main())
