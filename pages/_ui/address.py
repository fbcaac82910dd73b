"""The page's address: pages read and write it here, by names for which `core.domain.reports.addresses` has a rule."""

from collections.abc import Iterable, Sequence

import streamlit as st

from core.domain.reports.addresses import check_address, is_known

# What widgets are told that keep their value in the address; `bound` gives it to them.
_BOUND = "query-params"


def get(name: str, default: str = "") -> str:
    """Return the value of *name*, the last one where there are several."""
    return str(st.query_params.get(_known(name), default))


def find(name: str) -> str | None:
    """Return the value of *name*, or None when the address does not say it."""
    return st.query_params.get(_known(name))


def get_all(name: str) -> list[str]:
    """Return every value of *name*."""
    return list(st.query_params.get_all(_known(name)))


def put(name: str, value: str | Sequence[str]) -> None:
    """Let the address say *value*, or every one of them, for *name*."""
    st.query_params[_known(name)] = value


def drop(name: str) -> None:
    """Take *name* out of the address; harmless when it is not there."""
    st.query_params.pop(_known(name), None)


def pairs() -> list[tuple[str, str]]:
    """Return all that the address says, names nobody knows too."""
    return [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]


def replace(said: Iterable[tuple[str, str]]) -> None:
    """Let the address say this and nothing else."""
    grouped: dict[str, list[str]] = {}
    for name, value in said:
        grouped.setdefault(name, []).append(value)
    st.query_params.from_dict(grouped)


def clear() -> None:
    """Let the address say nothing."""
    st.query_params.clear()


def bound(key: str) -> str:
    """Return what lets the widget called *key* keep its value in the address, under that name."""
    _known(key)
    return _BOUND


def check() -> None:
    """Look at all of the address, before a page reads any of it. Raises: InvalidInput."""
    check_address(pairs())


def _known(name: str) -> str:
    if not is_known(name):
        # A mistake of ours, not of the person's: what has no rule is not read.
        raise KeyError(f"core.domain.reports.addresses has no rule for “{name}”")
    return name
