"""
What Twilio posts: states of messages, and replies.

Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security and
https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys (signatures),
https://www.twilio.com/docs/messaging/guides/webhook-request.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import Receipt, Reply
from core.domain.messages.replies import Keyword
from core.gateways.callbacks import CallbackRequest, Heard, ReadCallback, SignatureRefused
from core.gateways.http.bodies import Item, first_text, is_json, list_items, read_document, read_pairs
from core.gateways.http.fields import Answers
from core.gateways.states import read_error_code, read_state
from core.gateways.twilio.form import FORM

SIGNATURE = "x-twilio-signature"
# Says of what a shared key has signed: key=webhooks_sharedkey_...,algorithm=HMAC_SHA256. Else the auth token has.
SETTINGS = "x-twilio-webhooks-signature-settings"
_SHA1 = "HMAC_SHA1"
_DIGESTS = {_SHA1: hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
_BODY_HASH = "bodySHA256"
_STATES: Mapping[str, str] = {
    "accepted": "ACCEPTD",
    "scheduled": "ACCEPTD",
    "queued": "ENROUTE",
    "sending": "ENROUTE",
    "sent": "ENROUTE",
    "partially_delivered": "ENROUTE",
    "delivered": "DELIVRD",
    "read": "DELIVRD",
    "undelivered": "UNDELIV",
    "failed": "REJECTD",
    "canceled": "DELETED",
}
# What Twilio has understood and followed itself, where the customer has chosen the words for it (Advanced Opt-Out).
# Source: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out.
_KEYWORDS: Mapping[str, Keyword] = {"STOP": Keyword.STOP, "START": Keyword.START, "HELP": Keyword.HELP}
_OF_REPLIES = frozenset({"received", "receiving"})
_PORTS = {"http": 80, "https": 443}
# Names and values are signed with nothing between them: whoever has overheard a reply could cut it otherwise, so that
# it has another ID, or none, and counts as a new one. Source: https://www.twilio.com/docs/glossary/what-is-a-sid.
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")


def make_reader(connection: Connection) -> ReadCallback:
    """Return what reads Twilio's callbacks. Raises: ConfigurationError: there is no token to check them by."""
    answers = Answers(FORM, connection)
    token, shared_key = answers.secret("auth_token").encode(), answers.secret("shared_key").encode()

    def read_callback(request: CallbackRequest) -> Heard:
        pairs = _read_form(request)
        algorithm = _find_algorithm(request)
        _check(request, pairs, shared_key if algorithm else token, algorithm or _SHA1)
        document = dict(pairs) if pairs else read_document(request)
        return Heard.of(_read(item, request, connection.name) for item in list_items(document))

    return read_callback


def sign(secret: bytes, url: str, pairs: Iterable[tuple[str, str]], algorithm: str = _SHA1) -> str:
    """Return Twilio's signature of an address and the fields posted to it; what repeats counts once."""
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    return b64encode(hmac.new(secret, text.encode("utf-8", "surrogatepass"), _DIGESTS[algorithm]).digest()).decode()


def _find_algorithm(request: CallbackRequest) -> str:
    """Return by which algorithm a shared key has signed, "" where the auth token has. Raises: SignatureRefused."""
    settings = request.headers.get(SETTINGS, "")
    if not settings.strip():
        return ""
    named = {name.strip(): value.strip() for name, _, value in (each.partition("=") for each in settings.split(","))}
    algorithm = named.get("algorithm", "").upper() or _SHA1
    if algorithm not in _DIGESTS:
        raise SignatureRefused(f"the algorithm {algorithm[:20]!r} is not known")
    return algorithm


def _read_form(request: CallbackRequest) -> list[tuple[str, str]]:
    """Return the fields that are signed one by one; none of what has no body, or says that it is JSON."""
    if not request.body or request.method == "GET" or _BODY_HASH in request.query or is_json(request):
        return []
    return read_pairs(request.body.decode("utf-8", "replace"))


def _check(request: CallbackRequest, pairs: Sequence[tuple[str, str]], secret: bytes, algorithm: str) -> None:
    if not secret:
        raise SignatureRefused("a shared key has signed it, and the gateway has none")
    given = request.headers.get(SIGNATURE, "").encode()
    if request.body and request.method != "GET" and not pairs:
        # The form of JSON: the address has a digest of the body, and is signed.
        hashes = [value for name, value in read_pairs(request.query) if name == _BODY_HASH]
        digest = hashlib.sha256(request.body).hexdigest()
        if len(hashes) != 1 or not hmac.compare_digest(hashes[0].lower().encode(), digest.encode()):
            raise SignatureRefused("the body is another")
    expected = (sign(secret, url, pairs, algorithm).encode() for url in _spellings(request.url))
    if not any(hmac.compare_digest(each, given) for each in expected):
        raise SignatureRefused("the signature is wrong")


def _spellings(url: str) -> Iterator[str]:
    """
    Yield the address as it may have been signed: as it is, without its port, and with the one that goes without saying.

    Twilio leaves out the port of some addresses, whichever it is, and names the usual one of others.
    """
    yield url
    parts = urlsplit(url)
    host, colon, port = parts.netloc.rpartition(":")
    if colon and port.isdigit():
        yield urlunsplit(parts._replace(netloc=host))
    elif usual := _PORTS.get(parts.scheme):
        yield urlunsplit(parts._replace(netloc=f"{parts.netloc}:{usual}"))


def _read(item: Item, request: CallbackRequest, gateway: str) -> Receipt | Reply | None:
    message_id = first_text(item, "MessageSid", "SmsSid", "SmsMessageSid")
    status = first_text(item, "MessageStatus", "SmsStatus").lower()
    text = item.get("Body")
    if isinstance(text, str) and (status in _OF_REPLIES or not status):
        sender, receiver = first_text(item, "From"), first_text(item, "To")
        if not sender or not _SID.fullmatch(message_id):
            return None
        keyword = _KEYWORDS.get(first_text(item, "OptOutType").upper(), Keyword.NONE)
        return Reply(gateway, sender, receiver, text, request.received_at, message_id, keyword)
    if not message_id or not status:
        return None
    code = read_error_code(first_text(item, "ErrorCode"))
    return Receipt(gateway, message_id, read_state(status, _STATES), code, request.received_at)
