"""Gateways: ways out to providers, each set up by a person and used by any number of accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.domain.gateways.forms import Value
from core.domain.words.names import check_name
from core.errors import InvalidInput

# As much of a name as every message keeps.
NAME_MAX = 40

# Where providers report receipts and replies, followed by "/" and the gateway's own token.
CALLBACK_PATH = "/callbacks"

# The one that every installation has: nothing leaves by it.
SIMULATOR = "simulator"


class GatewayStatus(StrEnum):
    """Whether it takes messages, as far as is known."""

    WORKING = "Working"
    # It refuses everything, or cannot be reached: its campaigns wait, and it is tried again and again.
    FAILING = "Failing"


@dataclass(frozen=True)
class GatewaySetup:
    """
    A gateway as it was set up.

    *name* is what messages and receipts carry, so it never changes; *kind* is of `core.gateways.registry`. *settings*
    are what the kind's form asks for, without its secrets: of those only the names are known here (*secrets_set*), and
    when they were last set. *rate_tps* is in segments a second over all accounts, None for no limit of its own.
    *version* grows with every change of what it connects by, so that whoever is connected notices.
    """

    name: str
    kind: str
    settings: Mapping[str, Value] = field(default_factory=dict)
    secrets_set: frozenset[str] = frozenset()
    secrets_at: datetime | None = None
    rate_tps: int | None = None
    # Whether its campaigns that were paused since it failed go on by themselves once it works again.
    resumes: bool = True
    status: GatewayStatus = GatewayStatus.WORKING
    # Why it fails and since when; of one that nobody has seen work, why a test of it failed, and when.
    fault: str = ""
    fault_at: datetime | None = None
    # Whether it stays so until somebody sees to it: trying again would change nothing.
    needs_person: bool = False
    # When it was first seen to work as it is set up now; None: nobody knows.
    proven_at: datetime | None = None
    # When a person's test of it last went well.
    tested_at: datetime | None = None
    # When it is looked at next whether it is back.
    probe_at: datetime | None = None
    version: int = 1
    created_at: datetime | None = None


@dataclass(frozen=True)
class Connection:
    """
    What a gateway needs to connect: its setup, and its secrets, opened.

    *callback_url* is where its provider tells what became of messages, for those that are told it with each message; ""
    where the installation has no key to keep such addresses by.
    """

    name: str
    settings: Mapping[str, Value]
    # Neither is ever in a log or a traceback: whoever knows the address may report receipts.
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    callback_url: str = field(default="", repr=False)
    kind: str = ""
    version: int = 1


def check_gateway_name(name: str) -> str:
    """Return *name* with its spaces tidied. Raises: InvalidInput."""
    tidy = check_name(name, "gateway")
    if len(tidy) > NAME_MAX:
        raise InvalidInput(
            f"The gateway name has {len(tidy)} characters.", hint=f"Use at most {NAME_MAX}.", field="name"
        )
    return tidy


def say_takes_nothing(name: str, fault: str) -> str:
    """Return in words that the gateway takes nothing just now, *fault* saying why; some faults say so themselves."""
    said = f"The gateway {name} takes no messages"
    return fault if fault.startswith(said) else f"{said} just now. {fault}"
