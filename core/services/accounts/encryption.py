"""Encryption: secrets as they lie in the database, unreadable without the installation's key."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.errors import ConfigurationError

_SETTING = "HELIOGRAPH_SECRET_KEY"
_HOW = "To get one, run: python -m core make-key"


def make_key() -> str:
    """Return a new key: 32 random bytes in URL-safe base64."""
    return Fernet.generate_key().decode()


class Encryption:
    """
    Fernet (AES-128-CBC, HMAC-SHA256) under one key or several: the first one seals, any of them opens.

    Source: https://github.com/fernet/spec/blob/master/Spec.md
    """

    def __init__(self, keys: str) -> None:
        """Take the keys, separated by commas; "" for none. Raises: ConfigurationError: one of them is no key."""
        found = [key.strip() for key in keys.split(",") if key.strip()]
        self._keys = MultiFernet(_parse(found)) if found else None

    @property
    def has_key(self) -> bool:
        """Whether there is one."""
        return self._keys is not None

    def seal(self, text: str) -> str:
        """Return *text* sealed by the first key. Raises: ConfigurationError: there is no key."""
        return self._require().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed. Raises: ConfigurationError: no key opens it, or somebody has changed it."""
        try:
            return self._require().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise _unreadable() from None

    def reseal(self, sealed: str) -> str:
        """Return the same secret sealed by the first key. Raises: as `open`."""
        try:
            return self._require().rotate(sealed.encode()).decode()
        except InvalidToken:
            raise _unreadable() from None

    def _require(self) -> MultiFernet:
        if self._keys is None:
            raise ConfigurationError(
                f"Secrets cannot be stored without a key: {_SETTING} is not set.",
                hint=f"Ask whoever runs Heliograph to set it for web and worker. {_HOW}",
            )
        return self._keys


def _parse(keys: Sequence[str]) -> list[Fernet]:
    try:
        return [Fernet(key) for key in keys]
    except ValueError:
        # Neither the key nor the library's words about it: both may end in a log.
        raise ConfigurationError(
            f"{_SETTING} holds something that is not a key.",
            hint=f"A key is 32 bytes in URL-safe base64; several are separated by commas. {_HOW}",
        ) from None


def _unreadable() -> ConfigurationError:
    return ConfigurationError(
        "A gateway's secrets cannot be opened with this installation's keys.",
        hint=f"Add the key they were encrypted with to {_SETTING}, or set them again.",
    )
