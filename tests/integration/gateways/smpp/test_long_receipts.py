"""Long messages by an SMSC that reports one of their parts alone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import smpp34

from core.gateways.smpp.pdu import Pdu
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from core.state.campaigns import receipts
from tests.contract.gateways.smpp.scripted_smsc import ScriptedSmsc, Session
from tests.support.application.house import House, contacts, make_house
from tests.support.processes.waiting import wait_until

COUNT = 20
LONG = "x" * 400
RECEIPT = "id:{} sub:001 dlvrd:001 stat:{} err:000 text:"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path / "house", secret_key=make_key(), sub_window=50)
    # The gateway has the clock of the machine.
    made.now = datetime.now(UTC)
    yield made
    made.app.close()


@pytest.fixture
def smsc() -> Iterator[ScriptedSmsc]:
    with ScriptedSmsc() as running:
        yield running


def report(session: Session, theirs: str, state: str = "DELIVRD") -> None:
    said = RECEIPT.format(theirs, state).encode()
    session.deliver(smpp34.DeliverSm("4917960000001", "HELIOGRAPH", said, esm_class=4).encode()[16:])


def report_one(smsc: ScriptedSmsc, part: int) -> None:
    """Let the SMSC report only part number *part* (from 0) of each message, if that asks, before it answers it."""

    def take(session: Session, frame: Pdu) -> None:
        submit = smpp34.decode(frame.raw)
        number, theirs = submit.short_message[5] - 1, f"id-{frame.sequence}"
        if number == part and submit.registered_delivery:
            report(session, theirs)
        session.answer(frame, message_id=theirs)

    smsc.on_submit = take


def send(house: House, smsc: ScriptedSmsc, **settings: str) -> None:
    values = {"host": "127.0.0.1", "port": smsc.port, "system_id": "me", "password": "secret"} | settings
    house.app.accounts.setting_up.create(house.viewer, "Berlin", "smpp", GatewayForm(values), house.now)
    house.app.accounts.managing.change(
        house.viewer, house.account.account_id, AccountSettings("Berlin", 1_000_000), house.now
    )
    house.launch(house.upload(contacts(COUNT)).list_id, message=LONG, placeholders={})
    house.app.work.run_until_idle(house.clock)


def count_delivered(house: House) -> int:
    house.app.sending.receiving.merge(lambda: datetime.now(UTC))
    return house.app.reports.reporting.traffic(house.viewer, house.everything()).delivered


@pytest.mark.parametrize("part", [0, 1, 2], ids=["first", "second", "last"])
def test_whichever_part_is_reported_the_message_is_delivered(house: House, smsc: ScriptedSmsc, part: int):
    report_one(smsc, part)
    send(house, smsc, long_receipts="any_part")
    wait_until(lambda: len(smsc.responses) >= COUNT, "all receipts are kept")
    assert count_delivered(house) == COUNT
    with house.app.state.read() as session:
        assert receipts.count_waiting(session) == 0
    house.app.accounts.gateways.close_all()


def test_of_parts_that_are_all_reported_one_that_was_delivered_counts(house: House, smsc: ScriptedSmsc):
    smsc.on_submit = lambda session, frame: session.answer(frame, message_id=f"id-{frame.sequence}")
    send(house, smsc, long_receipts="any_part")
    for frame in [*smsc.submits]:
        state = "DELIVRD" if smpp34.decode(frame.raw).short_message[5] == 2 else "UNDELIV"
        smsc.in_loop(lambda frame=frame, state=state: report(smsc.sessions[-1], f"id-{frame.sequence}", state))
    wait_until(lambda: len(smsc.responses) >= 3 * COUNT, "all receipts are kept")
    assert count_delivered(house) == COUNT
    house.app.accounts.gateways.close_all()


def test_by_default_the_last_part_alone_asks_and_is_reported(house: House, smsc: ScriptedSmsc):
    report_one(smsc, 2)
    send(house, smsc)
    wait_until(lambda: len(smsc.responses) >= COUNT, "all receipts are kept")
    assert count_delivered(house) == COUNT
    house.app.accounts.gateways.close_all()
