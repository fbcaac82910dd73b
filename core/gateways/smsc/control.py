"""
Driving an SMSC from another process: a Unix socket that takes a JSON object a line and answers with one.

    {"do": "faults", "answer_s": 0.2, "deaf": false}    change what goes wrong; what is not named stays
    {"do": "drop", "count": 1}    take the next submits, and drop the connection of each in place of a response
    {"do": "disconnect"}    drop all connections
    {"do": "unbind"}    ask everybody to let go
    {"do": "close"}, {"do": "open"}    refuse new connections; take them again
    {"do": "rate", "tps": 100}    throttle above so many segments per second
    {"do": "reply", "system_id": "…", "msisdn": "+49…", "sender_id": "…", "text": "STOP"}    let somebody answer
    {"do": "state"}    nothing

Each is answered with the state afterwards, or with {"error": "…"}: then nothing has changed. Nobody but the owner of
the process may open the socket.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from core.errors import AppError, ConfigurationError, InvalidInput
from core.gateways.smsc.behavior import change_faults
from core.gateways.smsc.smsc import Smsc, say_why

Facts = Mapping[str, object]
_OWNER_ONLY = 0o177


async def _disconnect(smsc: Smsc, _: Facts) -> None:
    smsc.disconnect()


async def _unbind(smsc: Smsc, _: Facts) -> None:
    smsc.unbind()


async def _close(smsc: Smsc, _: Facts) -> None:
    smsc.close()


async def _open(smsc: Smsc, _: Facts) -> None:
    await smsc.open()


async def _faults(smsc: Smsc, facts: Facts) -> None:
    smsc.set_faults(change_faults(smsc.faults, facts))


async def _drop(smsc: Smsc, facts: Facts) -> None:
    count = facts.get("count", 1)
    if not isinstance(count, int):
        raise InvalidInput(f"The count cannot be {count!r}.", hint="It is a whole number.")
    smsc.drop_next(count)


async def _rate(smsc: Smsc, facts: Facts) -> None:
    rate = facts.get("tps")
    if not isinstance(rate, int | float):
        raise InvalidInput(f"The rate cannot be {rate!r}.", hint="It is a number.")
    smsc.set_rate(rate)


async def _reply(smsc: Smsc, facts: Facts) -> None:
    given = [facts.get(name) for name in ("system_id", "msisdn", "sender_id", "text")]
    texts = [each for each in given if isinstance(each, str)]
    if len(texts) < len(given):
        raise InvalidInput("A reply needs system_id, msisdn, sender_id and text.", hint="All of them are texts.")
    smsc.reply(*texts)


async def _state(_: Smsc, __: Facts) -> None:
    pass


COMMANDS: Mapping[str, Callable[[Smsc, Facts], Awaitable[None]]] = {
    "faults": _faults,
    "drop": _drop,
    "disconnect": _disconnect,
    "unbind": _unbind,
    "close": _close,
    "open": _open,
    "rate": _rate,
    "reply": _reply,
    "state": _state,
}


async def listen(smsc: Smsc, path: Path) -> asyncio.Server:
    """
    Take commands at the socket *path*; one left behind by a killed process is replaced.

    Raises: ConfigurationError: there can be no socket there.
    """

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await obey(smsc, line)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            # Gone, or a line longer than any command: there is nobody to say it to.
            pass
        finally:
            writer.close()

    before = os.umask(_OWNER_ONLY)
    try:
        return await asyncio.start_unix_server(talk, path)
    except OSError as error:
        raise ConfigurationError(
            f"There can be no socket {path}: {say_why(error)}.", hint="Choose another path for --control."
        ) from error
    finally:
        os.umask(before)


async def obey(smsc: Smsc, line: bytes) -> dict[str, object]:
    """Do what *line* says; return the state afterwards, or an error in words."""
    try:
        asked = json.loads(line)
        if not isinstance(asked, dict) or asked.get("do") not in COMMANDS:
            raise InvalidInput("There is no such command.", hint=f"""Write {{"do": one of {", ".join(COMMANDS)}}}.""")
        await COMMANDS[asked.pop("do")](smsc, asked)
    except ValueError:
        return {"error": "This is no JSON."}
    except AppError as error:
        return {"error": f"{error.message} {error.hint}".strip()}
    return smsc.state()
