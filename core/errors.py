"""
Every error Heliograph raises on purpose.

AppError (code, message, hint)
  ConfigurationError        a setting is missing or cannot be used
  InvalidInput              what a person typed or uploaded cannot be used
    InvalidMsisdn           not a subscriber number
    InvalidSenderId         not a sender ID
    UnencodableText         a character does not exist in the encoding
    InvalidFile             an uploaded file cannot be read
    InvalidForm             several fields cannot be used; carries what is wrong with each
  WrongCredentials          email and password do not belong together
  TooManyAttempts           throttled; carries when to try again
  Busy                      too many others wait for the same; carries when to try again
  Forbidden                 the viewer lacks a permission or an account
  NotFound                  no such thing, or not for this viewer
  InvalidTransition         a state machine does not allow this move
  Conflict                  somebody else changed it first
  StorageError              a store did not answer or has no room
  GatewayError (gateway, provider_code, retry_after_s)
    TemporaryGatewayError   the SMSC did not take it; try again later
      Throttled             too fast for the gateway
      Unavailable           never reached, or closed
    PermanentGatewayError   trying again will not help
      Rejected              this message is refused
      BadCredentials        this gateway account is refused
    OutcomeUnknown          handed over, but no answer: never resent automatically

Only `AppError` reaches a person, as *message* (what and where) and *hint* (what to do).
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import ClassVar


class AppError(Exception):
    """An error with a sentence for people and a code for programs."""

    code: ClassVar[str] = "error"
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str = "", field: str = "") -> None:
        """Keep *message* (what and where), *hint* (what to do) and the form field it belongs to."""
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint
        self.field = field


class ConfigurationError(AppError):
    """A setting is missing or cannot be used."""

    code = "configuration"


class InvalidInput(AppError):
    """What a person typed or uploaded cannot be used."""

    code = "invalid_input"


class InvalidMsisdn(InvalidInput):
    """The text is not a subscriber number; *reason* says why in one word."""

    code = "invalid_msisdn"

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        """Keep the reason (a `core.domain.numbering.faults.MsisdnFault` value)."""
        super().__init__(message, hint=hint, field="msisdn")
        self.reason = reason


class InvalidSenderId(InvalidInput):
    """The text is not a sender ID."""

    code = "invalid_sender_id"


class UnencodableText(InvalidInput):
    """A character does not exist in the encoding; *position* is 0-based, in code points."""

    code = "unencodable_text"

    def __init__(self, character: str, position: int, encoding: str) -> None:
        """Name the character, where it stands and the encoding that lacks it."""
        super().__init__(
            f"Character {character!r} at position {position + 1} does not exist in {encoding}.",
            hint="Replace the character, or send the message as Unicode.",
            field="message",
        )
        self.character = character
        self.position = position


class InvalidFile(InvalidInput):
    """An uploaded file cannot be read as a contact list."""

    code = "invalid_file"


class InvalidForm(InvalidInput):
    """Several fields cannot be used; *faults* has what is wrong with each, in the order of the fields."""

    code = "invalid_form"

    def __init__(self, faults: Sequence[InvalidInput]) -> None:
        """Keep the faults, two or more, and say them all where only a message is read."""
        super().__init__(" ".join(fault.message for fault in faults), hint="Mend them all, then try again.")
        self.faults = tuple(faults)


class Faults:
    """Gathers what is wrong with the fields of a form, so that a person is told all of it at once."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: list[InvalidInput] = []

    @contextmanager
    def gather(self) -> Generator[None]:
        """Keep an `InvalidInput` of the block, and go on behind it."""
        try:
            yield
        except InvalidForm as error:
            self._found += error.faults
        except InvalidInput as error:
            self._found.append(error)

    def check(self) -> None:
        """Raises: InvalidInput: what was gathered, an `InvalidForm` of several."""
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise InvalidForm(self._found)


class WrongCredentials(AppError):
    """Email and password do not belong together."""

    code = "wrong_credentials"


def _try_again(retry_after_s: int) -> str:
    # Said here: the domain, which has words for counts, knows the errors.
    return "Try again in a second." if retry_after_s == 1 else f"Try again in {retry_after_s} seconds."


class TooManyAttempts(AppError):
    """Throttled after repeated failures."""

    code = "too_many_attempts"

    def __init__(self, retry_after_s: int, message: str = "Too many attempts.") -> None:
        """Say when the next attempt is welcome."""
        super().__init__(message, hint=_try_again(retry_after_s))
        self.retry_after_s = retry_after_s


class Busy(AppError):
    """Too many others wait for the same already: nobody is put at the end of such a queue."""

    code = "busy"

    def __init__(self, retry_after_s: int, message: str) -> None:
        """Say when the next attempt is welcome."""
        super().__init__(message, hint=_try_again(retry_after_s))
        self.retry_after_s = retry_after_s


class Forbidden(AppError):
    """The viewer lacks a permission or does not belong to the account."""

    code = "forbidden"
    default_hint = "Ask an administrator for access."


class NotFound(AppError):
    """No such thing, or not for this viewer: the two are never told apart."""

    code = "not_found"
    default_hint = "Check the address or the name: it may have been deleted, or belong to an account that is not yours."


class InvalidTransition(AppError):
    """The state machine does not allow this move."""

    code = "invalid_transition"


class Conflict(AppError):
    """Somebody else changed it first."""

    code = "conflict"
    default_hint = "Reload the page and try again."


class StorageError(AppError):
    """A store did not answer or has no room."""

    code = "storage"


class GatewayError(AppError):
    """A gateway did not do what it was asked."""

    code = "gateway"

    def __init__(
        self,
        message: str,
        *,
        gateway: str,
        provider_code: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        """Keep which gateway, the provider's own code and when to try again (seconds)."""
        super().__init__(message)
        self.gateway = gateway
        self.provider_code = provider_code
        self.retry_after_s = retry_after_s


class TemporaryGatewayError(GatewayError):
    """The SMSC did not take the message; it may later."""

    code = "gateway_temporary"


class Throttled(TemporaryGatewayError):
    """Messages came faster than the gateway accepts."""

    code = "gateway_throttled"


class Unavailable(TemporaryGatewayError):
    """The gateway was not reached, so nothing left."""

    code = "gateway_unavailable"


class PermanentGatewayError(GatewayError):
    """Trying again will not help."""

    code = "gateway_permanent"


class Rejected(PermanentGatewayError):
    """This message is refused."""

    code = "gateway_rejected"


class BadCredentials(PermanentGatewayError):
    """This gateway account is refused."""

    code = "gateway_credentials"


class OutcomeUnknown(GatewayError):
    """Handed over without an answer: it may have been accepted."""

    code = "gateway_outcome_unknown"


def until(moment: datetime, now: datetime) -> int:
    """Return whole seconds from *now* to *moment*, at least 1."""
    return max(1, int((moment - now).total_seconds() + 0.999))
