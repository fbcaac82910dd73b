"""`python -m benchmarks <name> [options]`."""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import (
    callbacks,
    cdr,
    demo,
    dispatch,
    export,
    gateway,
    history,
    login,
    maintenance,
    numbers,
    pacing,
    pages,
    preflight,
    receipts,
    smsc,
    statistics,
    story,
    suppressions,
    text,
    workers,
)

BENCHMARKS = {
    "story": story,
    "suppressions": suppressions,
    "demo": demo,
    "dispatch": dispatch,
    "gateway": gateway,
    "smsc": smsc,
    "text": text,
    "preflight": preflight,
    "statistics": statistics,
    "history": history,
    "export": export,
    "maintenance": maintenance,
    "numbers": numbers,
    "cdr": cdr,
    "login": login,
    "workers": workers,
    "receipts": receipts,
    "callbacks": callbacks,
    "pacing": pacing,
    "pages": pages,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one benchmark; its exit code is 0 unless what it measured came out wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what is promised.")
    names = parser.add_subparsers(required=True, metavar="name", dest="name")
    for name, module in BENCHMARKS.items():
        summary = (module.__doc__ or "").strip().splitlines()[0]
        module.add_options(names.add_parser(name, help=summary, description=summary))
    options = parser.parse_args(arguments)
    code: int = BENCHMARKS[options.name].run(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
