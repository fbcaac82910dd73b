"""Programs that tests need beside Python."""

import os
import shutil

import pytest


def require_binary(name: str) -> str:
    """
    Return the path of the program *name*.

    Where it is missing, the test is skipped; in CI, whose machine is ours to furnish, it fails instead.
    """
    path = shutil.which(name)
    if path:
        return path
    reason = f"{name} is not installed"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{reason}; install it in .ci/run")
    pytest.skip(reason)
