"""
Requests to a provider, and whether one that failed may have been taken.

What decides is whether anything of the request was about to be written when it failed: a name that is not found, a
refused connection, a certificate that is not trusted come before that, a read timeout and a lost connection after it.
"""

import logging
import math
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx

from core.gateways.http.bodies import load_json
from core.gateways.http.deadlines import BoundedTransport, Deadline
from core.gateways.network_faults import describe_fault

# httpx tells every address it asks, and some providers take secrets and numbers in it.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# Of a thousand messages an answer has some 300 KB.
ANSWER_MAX_BYTES = 1 << 20
# A provider that asks for more than an hour is asked again after one.
RETRY_MOST_S = 3_600.0
# A connection that nobody has used for so long is opened anew: servers close idle ones, and what is written to one at
# that moment may have been taken or not.
IDLE_S = 4.0
_WRITING = "http11.send_request_headers.started"


@dataclass(frozen=True)
class Limits:
    """How one provider is asked: *connections* at a time, so many seconds to connect and for an answer; *tls*."""

    connections: int
    connect_s: float
    answer_s: float
    tls: ssl.SSLContext


@dataclass(frozen=True)
class ApiRequest:
    """What is asked. Nothing of it is ever in a log: addresses and bodies hold secrets, numbers and texts."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class ApiAnswer:
    """What came back. *body* is None where it was too long to be read; *retry_after_s* is what is asked for, if any."""

    status: int
    body: bytes | None = field(repr=False)
    retry_after_s: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    def read_json(self) -> object:
        """Return the body as JSON; None where it is none."""
        try:
            return load_json(self.body or b"null")
        except (ValueError, RecursionError):
            return None


class NotSent(Exception):
    """Nothing of the request has left. Says why, in words."""


class Late(Exception):
    """Nothing of the request has left, and nothing may any more: its moment has passed."""


class NoAnswer(Exception):
    """The request may have been taken: it was being written, or was written, when this happened. Says what."""


class ApiClient:
    """Asks one provider. Threads share it."""

    def __init__(self, limits: Limits) -> None:
        """Take the limits; nothing connects."""
        self._limits = limits
        self._deadline = Deadline()
        kept = httpx.Limits(
            max_connections=limits.connections,
            max_keepalive_connections=limits.connections,
            keepalive_expiry=IDLE_S,
        )
        self._client = httpx.Client(
            transport=BoundedTransport(self._deadline, limits.tls, kept),
            # Neither proxies nor credentials from the environment.
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(limits.answer_s, connect=limits.connect_s, pool=limits.answer_s),
            headers={"User-Agent": "Heliograph", "Accept": "*/*", "Accept-Encoding": "identity"},
        )

    def ask(self, request: ApiRequest, leave_by_s: float = math.inf) -> ApiAnswer:
        """
        Return the answer; *leave_by_s* is until when the request may be written, by the clock that nobody sets.

        Raises: NotSent, NoAnswer, Late.
        """
        written = []

        def trace(event: str, _facts: object) -> None:
            if event == _WRITING:
                # A connection that had to be opened first may have taken long.
                if time.monotonic() > leave_by_s:
                    raise Late
                written.append(event)

        try:
            with (
                self._deadline.within(self._limits.connect_s + self._limits.answer_s),
                self._client.stream(
                    request.method,
                    request.url,
                    headers=dict(request.headers),
                    content=request.body or None,
                    extensions={"trace": trace},
                ) as response,
            ):
                body = _read(response)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            words = _describe(error, request.url)
            raise (NoAnswer if written else NotSent)(words) from error
        headers = response.headers
        retry_after_s = read_retry_after(headers.get("Retry-After", ""), headers.get("Date", ""))
        return ApiAnswer(response.status_code, body, retry_after_s)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _read(response: httpx.Response) -> bytes | None:
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if len(body) > ANSWER_MAX_BYTES:
            return None
    return bytes(body)


def read_retry_after(text: str, date: str = "") -> float | None:
    """
    Return the seconds that a Retry-After header asks for, at most an hour; None where it says nothing.

    Where it is a time, *date*, the header Date, says what time it is there.
    Source: RFC 9110, section 10.2.3: seconds, or a date.
    """
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit():
        return min(float(stripped[:9]), RETRY_MOST_S)
    try:
        seconds = (parsedate_to_datetime(stripped) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(seconds, 0.0), RETRY_MOST_S)


def _describe(error: Exception, address: str) -> str:
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError):
        return "The address cannot be used."
    port = url.port or (80 if url.scheme == "http" else 443)
    if isinstance(error, httpx.TimeoutException):
        return describe_fault(TimeoutError(), url.host, port)
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return describe_fault(cause, url.host, port)
    if isinstance(error, httpx.RemoteProtocolError):
        return f"{url.host}, port {port} does not answer as HTTP, or closed the connection."
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError | UnicodeError):
        return "The address or a header of the request cannot be used."
    return f"The connection to {url.host}, port {port} was lost."
