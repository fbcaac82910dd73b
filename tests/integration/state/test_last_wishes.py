"""What a number has asked for last costs no more when it has asked a thousand times before."""

from datetime import timedelta
from pathlib import Path

from core.domain.messages.replies import Keyword
from core.state.accounts import accounts
from core.state.campaigns import replies
from core.state.campaigns.replies import HeardReply
from core.state.engine.store import State
from tests.support.application.factories import NOW, make_account, make_reply

MSISDN = "+491796000001"


def count_steps(state: State) -> int:
    """Return how many tens of SQLite's steps the answer takes."""
    counted: list[int] = []
    with state.read() as session:
        raw = session.connection().connection.dbapi_connection
        assert raw is not None
        raw.set_progress_handler(lambda: counted.append(1), 10)
        assert replies.list_wishes(session, "account-1", [MSISDN]) == {MSISDN: Keyword.STOP}
        raw.set_progress_handler(None, 0)
    return len(counted)


def test_the_last_wish_is_found_without_reading_all_that_were(tmp_path: Path):
    state = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    state.migrate()
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)

    def ask(count: int) -> None:
        said = (make_reply(received_at=NOW + timedelta(seconds=second)) for second in range(count))
        heard = [HeardReply(each, MSISDN, Keyword.STOP, ("account-1",)) for each in said]
        with state.write() as session:
            replies.add_replies(session, heard, NOW + timedelta(days=1))

    ask(1)
    once = count_steps(state)
    ask(2_000)
    assert count_steps(state) <= 2 * once
    state.close()
