"""The SMSC against clients that others have written."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
import smpp34

from core.gateways.smsc.running import SmscThread
from tests.contract.gateways.peers.running import HERE, require_net_smpp, require_npm_package
from tests.support.fakes.calm_smsc import calm_behavior
from tests.support.processes.waiting import PATIENCE_S, wait_until

COUNT = 200


@pytest.fixture
def smsc(tmp_path: Path):
    with SmscThread(tmp_path / "smsc.sqlite", calm_behavior()) as running:
        yield running


def receivers() -> list[str]:
    return [f"4917960{index:05}" for index in range(COUNT)]


def check_log(smsc: SmscThread, ids: list[str], receipts: list[str]) -> None:
    """See that each message is there once, under the id that was answered, and that the client got its receipt."""
    accepted = list(smsc.journal.list_accepted())
    assert sorted(each.msisdn for each in accepted) == [f"+{each}" for each in receivers()]
    assert sorted(each.gateway_message_id for each in accepted) == sorted(ids)
    assert sorted(text.split()[0] for text in receipts) == sorted(f"id:{key}" for key in ids)
    wait_until(lambda: smsc.journal.count_owed() == 0, "all receipts are acknowledged", 0.01)


def test_the_client_of_smpp34_gets_an_answer_and_a_receipt_for_each(smsc: SmscThread):
    ids, receipts = asyncio.run(submit_by_smpp34(smsc.port))
    check_log(smsc, ids, receipts)


async def submit_by_smpp34(port: int) -> tuple[list[str], list[str]]:
    client = smpp34.Client("127.0.0.1", port, "me", "secret", bind_type="TRX", window_size=20)
    try:
        session = await client.connect()
        answers = await asyncio.gather(
            *[session.submit_sm(each, b"Hello", source_addr="HELIO", registered_delivery=1) for each in receivers()]
        )
        receipts = [await session.next() for _ in range(COUNT)]
        await session.unbind()
        assert all(each.is_success for each in answers)
        return [each.message_id for each in answers], [each.short_message.decode() for each in receipts]
    finally:
        await client.stop()


def test_the_client_of_the_npm_package_gets_an_answer_and_a_receipt_for_each(smsc: SmscThread):
    check_what_it_says(smsc, require_npm_package(), "npm_esme.js")


def test_the_client_of_perl_gets_an_answer_and_a_receipt_for_each(smsc: SmscThread):
    check_what_it_says(smsc, require_net_smpp(), "perl_esme.pl")


def check_what_it_says(smsc: SmscThread, interpreter: str, script: str) -> None:
    command = [interpreter, script, str(smsc.port), *receivers()]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    said = json.loads(done.stdout)
    check_log(smsc, said["ids"], said["receipts"])
