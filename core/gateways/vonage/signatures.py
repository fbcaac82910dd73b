"""
Vonage's signatures, of requests and of callbacks alike.

Source: https://developer.vonage.com/getting-started/concepts/signing-messages.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from core.gateways.callbacks import SignatureRefused

# Vonage repeats a callback for a day, with the time it had at first. What comes twice is kept once.
OLDEST = timedelta(hours=25)
# How far its clock may be ahead of ours.
NEWEST = timedelta(minutes=5)


class Method(StrEnum):
    """How an account signs."""

    # The secret stands behind what is signed: no HMAC.
    MD5_HASH = "md5hash"
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"


def sign(fields: Mapping[str, str], secret: str, method: Method) -> str:
    """Return the signature of *fields*, without `sig` among them, in hexadecimal digits of lower case."""
    text = "".join(f"&{name}={_flatten(fields[name])}" for name in sorted(fields) if name != "sig")
    if method is Method.MD5_HASH:
        return hashlib.md5(_encode(text + secret), usedforsecurity=False).hexdigest()
    return hmac.new(_encode(secret), _encode(text), method.value).hexdigest()


def check_signature(fields: Mapping[str, str], secret: str, method: Method, now: datetime) -> None:
    """Let fields with a valid `sig` and a `timestamp` of about now pass. Raises: SignatureRefused."""
    if any(mark in name for name in fields for mark in "&="):
        # Such a name is signed as if it were several fields, which would be missed among the others.
        raise SignatureRefused("a name has a sign in it that parts fields")
    given = fields.get("sig", "").lower()
    if not hmac.compare_digest(_encode(sign(fields, secret, method)), _encode(given)):
        raise SignatureRefused("the signature is wrong")
    told = fields.get("timestamp", "").strip()
    seconds = int(told) if told.isascii() and told.isdigit() and len(told) <= 12 else 0
    if not (now - OLDEST).timestamp() <= seconds <= (now + NEWEST).timestamp():
        raise SignatureRefused("the time is past or to come")


def _flatten(value: str) -> str:
    # What parts the fields may not stand in one.
    return value.replace("&", "_").replace("=", "_")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
