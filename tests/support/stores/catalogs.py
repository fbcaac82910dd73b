"""Which catalogs a test of the lake is run with."""

from collections.abc import Iterable

import pytest

POSTGRES = pytest.mark.postgres


def seeds(values: Iterable[int]) -> pytest.MarkDecorator:
    """Run a test that tries what chance brings with each seed on SQLite, and with the first one on PostgreSQL."""
    first, *others = values
    cases = [
        pytest.param("sqlite", first, id=f"sqlite-{first}"),
        pytest.param("postgres", first, id=f"postgres-{first}", marks=POSTGRES),
        *(pytest.param("sqlite", seed, id=f"sqlite-{seed}") for seed in others),
    ]
    return pytest.mark.parametrize(("lake_settings", "seed"), cases, indirect=["lake_settings"])
