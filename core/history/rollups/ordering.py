"""The order of groups: those of a page are found without sorting all."""

from typing import Any

import numpy as np
import numpy.typing as npt

from core.history.rollups.reach import Ints

# What of an order is asked for above this share is sorted as a whole.
_WORTH_PICKING = 0.25


def first_of(values: npt.NDArray[Any] | None, keys: Ints, start: int, end: int, *, descending: bool) -> Ints:
    """
    Return the places of the groups from *start* to before *end*, sorted by *values*, equals by their *keys*.

    Args:
        values: Numbers to sort by; None sorts by the keys alone.
        keys: All different.
        start: From 0.
        end: May be more than there are.
        descending: Whether the largest value comes first; keys of equal values ascend in any case.
    """
    ranked = keys if values is None else values
    ranked = -ranked if descending else ranked
    count = len(keys)
    if end >= count * _WORTH_PICKING:
        return np.asarray(np.lexsort((keys, ranked))[start:end])
    border = np.partition(ranked, end - 1)[end - 1]
    below, equal = np.flatnonzero(ranked < border), np.flatnonzero(ranked == border)
    missing = end - len(below)
    if missing < len(equal):
        # Many groups may be equal, as all that cost nothing: of them those with the lowest keys come in.
        equal = equal[np.argpartition(keys[equal], missing - 1)[:missing]]
    picked = np.concatenate([below, equal])
    return np.asarray(picked[np.lexsort((keys[picked], ranked[picked]))][start:end])
