"""A password is not what everybody tries first, nor what others know of the person, however it is written."""

import pytest

from core.cli import DEMO_EMAIL, DEMO_NAME, DEMO_PASSWORD
from core.domain.people.passwords import MAX, check_password, is_common
from core.errors import InvalidInput

ADA = ("Ada Lovelace", "ada.lovelace@analytical-engine.example")


@pytest.mark.parametrize(
    "password",
    [
        "AdaLovelace1!",
        "Ada-Lovelace-1815",
        "lovelace_ADA_1!",
        "Ada.Lovelace@analytical-engine.example1",
        "4d4L0v3l4c3!A",
        "L0ve1ace!1815",
        "!!2026Lovelace",
        "ecalevoL-1815",
        "ALovelace1815!",
        "LovelaceAL-1815",
        "Ada-Password-1!",
        "Analytical-Engine-1",
        "AdaAdaAda-1",
        # Fullwidth letters.
        "\uff21\uff44\uff41-Lovelace1",
    ],
)
def test_own_name_and_email_are_refused_in_any_disguise(password: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_password(password, *ADA)
    assert caught.value.field == "password"
    assert "first that an attacker would try" in caught.value.message


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("Jürgen Müller", "Juergen-Mueller-1"),
        ("Jürgen Müller", "JurgenMuller_1"),
        ("Jürgen Müller", "JürgenMüller_1"),
        ("Søren Łukasz", "Soren-Lukasz-1"),
        ("Li Wu", "LiWuLiWu-1"),
        ("Юлия", "Юлия-Юлия-Aa1"),
        ("O'Neill", "O'Neill-1998"),
    ],
)
def test_names_are_known_in_every_spelling(name: str, password: str) -> None:
    assert is_common(password, name, "x@example.com")


@pytest.mark.parametrize(
    "password",
    ["Adamant-granite-7", "Glove-lace-mirror-3", "Copper-kettle-19", "Sun-mirror-1", "Lovelace-copper-kettle-1"],
)
def test_what_is_more_than_the_person_is_taken(password: str) -> None:
    assert check_password(password, *ADA) == password


@pytest.mark.parametrize("password", ["P@ssw0rd1!", "Qwertyuiop-1", "Welcome2026!", "Aaaaaaaa-1", "WelcomeWelcome-1"])
def test_common_words_are_refused_in_disguise(password: str) -> None:
    assert is_common(password)


def test_neither_too_long_nor_half_a_character_is_a_password() -> None:
    for password in ("Copper-kettle-1" + "x" * MAX, "Copper-kettle-1\udce9"):
        with pytest.raises(InvalidInput):
            check_password(password)


def test_nothing_known_forbids_nothing() -> None:
    assert not is_common("Copper-kettle-19", "", "A", "a@b.c")


def test_the_demo_company_can_be_entered() -> None:
    assert check_password(DEMO_PASSWORD, DEMO_NAME, DEMO_EMAIL) == DEMO_PASSWORD
