import base64

import pytest

from core.config import Settings
from core.errors import ConfigurationError
from core.services.accounts.encryption import Encryption, make_key

# The tests are named by it, so it is the same in every process.
OLD = base64.urlsafe_b64encode(b"o" * 32).decode()
NEW = make_key()


def test_what_is_sealed_opens_again_and_is_never_the_same_twice() -> None:
    sealing = Encryption(OLD)
    sealed = sealing.seal("s3cret-ü")
    assert "s3cret" not in sealed
    assert sealed != sealing.seal("s3cret-ü")
    assert sealing.open(sealed) == "s3cret-ü"


def test_the_first_key_seals_and_all_open() -> None:
    sealed = Encryption(OLD).seal("secret")
    both = Encryption(f"{NEW}, {OLD}")
    assert both.open(sealed) == "secret"
    new = both.reseal(sealed)
    assert Encryption(NEW).open(new) == "secret"
    assert Encryption(NEW).open(both.seal("other")) == "other"
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        Encryption(NEW).open(sealed)
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        Encryption(OLD).reseal(new)


def test_a_changed_token_does_not_open() -> None:
    sealed = Encryption(OLD).seal("secret")
    for position in range(0, len(sealed), 7):
        other = "A" if sealed[position] != "A" else "B"
        with pytest.raises(ConfigurationError):
            Encryption(OLD).open(sealed[:position] + other + sealed[position + 1 :])
    for wrong in ("", "not a token", sealed[:-4]):
        with pytest.raises(ConfigurationError):
            Encryption(OLD).open(wrong)


def test_without_a_key_it_says_what_to_do() -> None:
    assert [Encryption(keys).has_key for keys in ("", " , ", OLD)] == [False, False, True]
    for ask in (lambda: Encryption(" , ").seal("secret"), lambda: Encryption("").open("token")):
        with pytest.raises(ConfigurationError, match="HELIOGRAPH_SECRET_KEY is not set") as caught:
            ask()
        assert "make-key" in caught.value.hint


@pytest.mark.parametrize("key", ["short", OLD[:-1], f"{OLD},hunter2hunter2", "schlüssel" * 5, "=" * 44])
def test_a_malformed_key_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(ConfigurationError, match="not a key") as caught:
        Encryption(key)
    assert caught.value.__suppress_context__
    for part in key.split(","):
        assert part not in caught.value.message + caught.value.hint


def test_settings_never_show_their_secrets() -> None:
    settings = Settings(secret_key=OLD, smtp_url="smtp://me:hunter2@mail.example.com")
    assert OLD not in repr(settings)
    assert "hunter2" not in repr(settings)
