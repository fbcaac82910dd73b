"""`python -m core.web.front`: what the Procfile starts for more than one web process."""

import asyncio
import os
import secrets
import signal
import socket
import sys

from core import logs
from core.config import Settings
from core.errors import AppError, ConfigurationError
from core.private_files import keep_private
from core.web.front.heads import place_cookie
from core.web.front.listening import Listening
from core.web.front.places import PlaceProcess, PlacesFailed, command_of, environment_of
from core.web.guard.proxies import parse_networks
from core.web.open_files import raise_most_files

# Until those that are ready begin without the others.
ALL_READY_S = 60.0
MOST_PLACES = 64


async def serve(settings: Settings, listener: socket.socket) -> int:
    """Serve until a signal comes; return the exit code: 0 then, 1 when the places do not start."""
    secret = os.environ.get("STREAMLIT_SERVER_COOKIE_SECRET") or secrets.token_hex(32)
    environment = environment_of(settings.host, settings.port, settings.upload_max_mib, secret)
    command = command_of(settings.web_processes)
    places = [PlaceProcess(number, command, environment) for number in range(settings.web_processes)]
    trusted = parse_networks(settings.trusted_proxies)
    listening = Listening(listener, places, place_cookie(secure=settings.is_secure), trusted)
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    lives = [asyncio.ensure_future(place.live()) for place in places]
    taking = asyncio.ensure_future(_take(listening, places, settings))
    stopped = asyncio.ensure_future(stop.wait())
    try:
        done, _ = await asyncio.wait({*lives, taking, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return 0 if stopped in done else 1
    finally:
        listener.close()
        for task in (*lives, taking, stopped):
            task.cancel()
        ended = await asyncio.gather(*lives, taking, stopped, return_exceptions=True)
        for error in ended:
            if isinstance(error, PlacesFailed):
                print("The web processes could not start; see above.", file=sys.stderr)
            elif isinstance(error, Exception):
                raise error


async def _take(listening: Listening, places: list[PlaceProcess], settings: Settings) -> None:
    ready = [asyncio.ensure_future(place.is_ready.wait()) for place in places]
    try:
        # Whoever was there before a restart comes back at once, and would all be in the place that is first.
        done, _ = await asyncio.wait(ready, timeout=ALL_READY_S)
        if not done:
            await asyncio.wait(ready, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in ready:
            task.cancel()
    print(f"Heliograph serves http://{settings.host}:{settings.port} by {len(places)} processes.", flush=True)
    await listening.run()


def check_count(count: int) -> None:
    """Raise ConfigurationError unless so many processes can be started, and numbered in a cookie."""
    if not 1 <= count <= MOST_PLACES:
        raise ConfigurationError(
            f"HELIOGRAPH_WEB_PROCESSES is {count}.", hint=f"Write a number from 1 to {MOST_PLACES}: one for each core."
        )


def listen_at(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address. Raises: ConfigurationError: somebody else has it, or there is none."""
    try:
        if ":" in host:
            # As Streamlit does: who listens at :: is there for IPv4 too.
            both = socket.has_dualstack_ipv6()
            return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=both)
        return socket.create_server((host, port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigurationError(
            f"Heliograph cannot listen on {host}:{port}: {reason}.",
            hint="Stop the program that uses it, or set HELIOGRAPH_HOST or HELIOGRAPH_PORT.",
        ) from error


def main() -> int:
    """Run the front; return the exit code."""
    try:
        settings = Settings.from_environment()
        check_count(settings.web_processes)
        parse_networks(settings.trusted_proxies)
        raise_most_files()
        logs.configure(settings.log_level)
        keep_private(settings.data_dir)
        listener = listen_at(settings.host, settings.port)
    except AppError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    return asyncio.run(serve(settings, listener))


if __name__ == "__main__":
    sys.exit(main())
