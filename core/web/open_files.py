"""How many files a web process may have open: each connection is one, and the usual limit is for small programs."""

import logging
import resource

log = logging.getLogger(__name__)

# More are of no use: a process has run out of memory for people's pages long before.
ENOUGH = 65_536


def raise_most_files() -> None:
    """Raise the limit of open files of this process, and of those it starts, as far as the administrator lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(ENOUGH, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        # macOS takes less than it says; with fewer the ones that wait longest are let go.
        log.warning("open_files_not_raised", extra={"files": soft}, exc_info=True)
