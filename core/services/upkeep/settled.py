"""Settled: what found nothing to do in a state of the lake is not looked for again until that has changed."""

from collections.abc import Callable, Hashable


class Settled:
    """
    Remembers what a look that found nothing to do had looked at.

    Looking costs a tenth of a second, and a lake that nobody uses is looked at every minute.
    """

    def __init__(self, watch: Callable[[], Hashable]) -> None:
        """Take who tells one state of the lake from another (`core.history.lake.watch`)."""
        self._watch = watch
        self._seen: Hashable = None

    def look(self, *besides: Hashable) -> Hashable:
        """
        Return what a look goes by now, None if the last one that found nothing went by the same.

        Args:
            besides: What else the answer depends on.

        Raises: StorageError: the lake does not answer.
        """
        seen = (self._watch(), besides)
        return None if seen == self._seen else seen

    def found_nothing(self, seen: Hashable) -> None:
        """Remember what `look` returned: there was nothing to do."""
        self._seen = seen
