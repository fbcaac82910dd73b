import argparse

import pytest

from core.cli_smsc import add_smsc, read_behavior
from core.errors import InvalidInput
from core.gateways.smsc.behavior import ReceiptForm, SmscBehavior


def behavior(*arguments: str) -> SmscBehavior:
    parser = argparse.ArgumentParser()
    add_smsc(parser.add_subparsers())
    return read_behavior(parser.parse_args(["smsc", *arguments]), seed=5)


def test_without_options_it_behaves_as_it_does_by_default():
    found = behavior()
    assert found == SmscBehavior(accounts={"heliograph": "rehearse"}, seed=5)


def test_the_options_say_how_it_behaves():
    found = behavior(
        *("--account", "me:secret", "--account", "you:", "--receipts", "payload, hex-response", "--seed", "0"),
        *(
            "--replies",
            "0.2",
            "--rate",
            "100",
            "--window",
            "7",
            "--deliver-window",
            "8",
            "--binds",
            "1",
            "--speed",
            "9",
        ),
        *("--patience", "3", "--enquire", "4"),
    )
    assert found == SmscBehavior(
        accounts={"me": "secret", "you": ""},
        forms=frozenset({ReceiptForm.PAYLOAD, ReceiptForm.HEX_RESPONSE}),
        seed=0,
        reply_rate=0.2,
        rate_tps=100,
        window=7,
        deliver_window=8,
        binds_max=1,
        speed=9,
        bind_s=3,
        response_s=3,
        enquire_s=4,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--account", "me"),
        ("--account", ":secret"),
        ("--account", "me:longer than eight"),
        ("--account", "longer than fifteen:secret"),
        ("--receipts", "pigeon"),
        ("--receipts", ""),
        ("--receipts", "tlv,payload"),
        ("--receipts", "hex-response,hex-receipt"),
        ("--replies", "1.1"),
        ("--rate", "0"),
        ("--rate", "inf"),
        ("--speed", "0.0001"),
        ("--speed", "nan"),
        ("--window", "-1"),
        ("--enquire", "0"),
    ],
)
def test_what_cannot_be_is_refused_in_words(arguments: tuple[str, ...]):
    with pytest.raises(InvalidInput):
        behavior(*arguments)
