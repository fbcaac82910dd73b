"""The command line's part for rehearsals: `smsc`, an SMSC to connect to, which needs nothing of an installation."""

import argparse
import asyncio
import signal
import ssl
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from core import logs
from core.config import Settings
from core.domain.words.counting import count_of
from core.errors import AppError, ConfigurationError, InvalidInput
from core.gateways.simulator.journal import KEPT_FOR
from core.gateways.smsc.behavior import (
    FAULT_NAMES,
    SPEED_LEAST,
    Faults,
    ReceiptForm,
    SmscBehavior,
    change_faults,
    parse_fault,
)
from core.gateways.smsc.control import listen
from core.gateways.smsc.smsc import Address, Smsc
from core.private_files import keep_private

ACCOUNT = "heliograph:rehearse"
PORT = 2775
_EITHER_OR = ((ReceiptForm.TLV, ReceiptForm.PAYLOAD), (ReceiptForm.HEX_RESPONSE, ReceiptForm.HEX_RECEIPT))
_EXPLANATION = "run an SMSC to rehearse with: real SMPP 3.4, simulated networks, no message to anybody"


def _list(names: Sequence[str]) -> str:
    return textwrap.fill(", ".join(names), initial_indent="  ", subsequent_indent="  ")


_MORE = f"""\
What goes wrong on purpose (--fault):
{_list(FAULT_NAMES)}
docs/guide/rehearsing.md says what each does, and how to change them while it
runs.

The log (--log) has what was taken, as receivers and digests of the texts; only
what is in it is answered.
"""


def add_smsc(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `smsc`."""
    parser = commands.add_parser(
        "smsc",
        help=_EXPLANATION,
        description=f"{_EXPLANATION[0].upper()}{_EXPLANATION[1:]}.",
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(alone=run_smsc)
    _add_connection(parser.add_argument_group("connections"))
    _add_networks(parser.add_argument_group("networks and receivers"))
    _add_rest(parser.add_argument_group("the rest"))


def _add_connection(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    group.add_argument("--port", type=int, default=PORT, help="port to listen on; 0 takes a free one (%(default)s)")
    group.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="SYSTEM_ID:PASSWORD",
        help=f"who may bind; may be repeated ({ACCOUNT})",
    )
    group.add_argument("--binds", type=int, default=10, help="binds of one system id at a time (%(default)s)")
    group.add_argument(
        "--window", type=int, default=1_000, help="submits of a bind that may wait for their response (%(default)s)"
    )
    group.add_argument(
        "--deliver-window",
        type=int,
        default=100,
        metavar="WINDOW",
        help="receipts and replies that may wait for a response of the client (%(default)s)",
    )
    group.add_argument(
        "--rate", type=float, default=50_000, help="segments per second of a system id, then 0x58 (%(default)s)"
    )
    group.add_argument(
        "--enquire", type=float, default=30, metavar="SECONDS", help="silence before enquire_link (%(default)s)"
    )
    group.add_argument(
        "--patience", type=float, default=10, metavar="SECONDS", help="waiting for a response or a bind (%(default)s)"
    )
    group.add_argument("--certificate", type=Path, metavar="FILE", help="speak TLS only, with this certificate (PEM)")
    group.add_argument("--key", type=Path, metavar="FILE", help="the certificate's key, if it is in a file of its own")


def _add_networks(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--speed", type=float, default=1, help="how many times faster than life (%(default)s)")
    group.add_argument("--seed", type=int, help="decides what becomes of each message (HELIOGRAPH_SEED)")
    group.add_argument(
        "--receipts",
        default="text",
        metavar="FORMS",
        help=f"how receipts deviate, several separated by commas: {', '.join(ReceiptForm)}",
    )
    group.add_argument(
        "--replies",
        type=float,
        default=0,
        metavar="SHARE",
        help="share of the receivers that answer, 0 to 1; four in ten of them stop (%(default)s)",
    )
    group.add_argument(
        "--fault", action="append", default=[], metavar="NAME=VALUE", help="what goes wrong on purpose; may be repeated"
    )


def _add_rest(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--log", type=Path, metavar="FILE", help="its own durable log (smsc.sqlite in the data folder)")
    group.add_argument("--control", type=Path, metavar="SOCKET", help="take commands at a Unix socket with this path")


def run_smsc(options: argparse.Namespace) -> int:
    """Run the SMSC until SIGINT or SIGTERM. Raises: AppError: it cannot."""
    settings = Settings.from_environment()
    keep_private(settings.data_dir)
    logs.configure("INFO" if options.verbose else "WARNING")
    behavior = read_behavior(options, settings.seed)
    faults = change_faults(Faults(), dict(parse_fault(each) for each in options.fault))
    address = Address(options.host, options.port, _tls(options.certificate, options.key))
    path = options.log or settings.data_dir / "smsc.sqlite"
    smsc = Smsc(path, behavior, lambda: datetime.now(UTC))
    smsc.set_faults(faults)
    asyncio.run(_run(smsc, address, options.control))
    return 0


def read_behavior(options: argparse.Namespace, seed: int) -> SmscBehavior:
    """Return what the options say. Raises: InvalidInput."""
    for name in ("binds", "window", "deliver_window", "rate", "enquire", "patience", "speed"):
        if not 0 < getattr(options, name) < inf:
            raise InvalidInput(f"--{name.replace('_', '-')} has to be above 0.")
    if options.speed < SPEED_LEAST:
        raise InvalidInput(f"--speed has to be {SPEED_LEAST} at least.")
    if not 0 <= options.replies <= 1:
        raise InvalidInput("--replies is a share from 0 to 1.")
    return SmscBehavior(
        accounts=dict(_account(each) for each in options.account or [ACCOUNT]),
        binds_max=options.binds,
        window=options.window,
        deliver_window=options.deliver_window,
        rate_tps=options.rate,
        seed=seed if options.seed is None else options.seed,
        speed=options.speed,
        forms=_forms(options.receipts),
        reply_rate=options.replies,
        enquire_s=options.enquire,
        bind_s=options.patience,
        response_s=options.patience,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `smsc` alone, as `core.cli.main` would, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m core")
    parser.add_argument("--verbose", action="store_true", help="log what happens to standard error")
    add_smsc(parser.add_subparsers(required=True, metavar="command"))
    options = parser.parse_args(arguments)
    try:
        return run_smsc(options)
    except AppError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 1


async def _run(smsc: Smsc, address: Address, control: Path | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    smsc.journal.forget(datetime.now(UTC) - KEPT_FOR)
    await smsc.start(address)
    try:
        if control is not None:
            await listen(smsc, control)
        print(_greeting(smsc, address, control), flush=True)
        await stop.wait()
    finally:
        farewell = _farewell(smsc)
        await smsc.stop()
    print(farewell, flush=True)


def _greeting(smsc: Smsc, address: Address, control: Path | None) -> str:
    who = " or ".join(
        f"{system_id} with the password {password}" for system_id, password in smsc.behavior.accounts.items()
    )
    lines = [
        f"SMSC listening on {address.host}:{smsc.port}: SMPP 3.4{' over TLS' if address.tls else ''}.",
        f"It takes binds of {who}.",
        f"What it takes is in {smsc.path}.",
    ]
    return "\n".join([*lines, f"It takes commands at {control}."] if control else lines)


def _farewell(smsc: Smsc) -> str:
    accepted, owed = smsc.journal.count_accepted(), smsc.journal.count_owed()
    return (
        f"The log has {count_of(accepted, 'message', 'messages')}; "
        f"{count_of(owed, 'receipt or reply is', 'receipts and replies are')} still owed."
    )


def _account(text: str) -> tuple[str, str]:
    system_id, sign, password = text.partition(":")
    # Source: SMPP 3.4, 4.1.1: octets of system_id and password, without the last one.
    if not sign or not 0 < len(system_id) <= 15 or len(password) > 8:
        raise InvalidInput(
            f"{text!r} is no account.", hint="Write SYSTEM_ID:PASSWORD, of up to 15 and up to 8 characters."
        )
    return system_id, password


def _forms(text: str) -> frozenset[ReceiptForm]:
    try:
        found = frozenset(ReceiptForm(each.strip()) for each in text.split(","))
    except ValueError:
        raise InvalidInput(f"{text!r} is no form of receipts.", hint=f"Use: {', '.join(ReceiptForm)}.") from None
    for one, other in _EITHER_OR:
        if found >= {one, other}:
            raise InvalidInput(f"Receipts cannot be both {one} and {other}.", hint="Choose one of the two.")
    return found


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        if key is not None:
            raise InvalidInput("--key needs --certificate.")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise ConfigurationError(
            f"The certificate {certificate} cannot be used: {error}.", hint="It has to be in PEM, with its key."
        ) from error
    return context
