"""Whatever is named, the browser still keeps: however its requests and their answers pass each other on the way."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.runtime import Runtime

from pages._ui.serving.kept_elements import KeptElements, name_what_is_kept

MOST_AGE = 2
PARTS = ("", "list", "chart")
EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN


def element(name: str, part: str = "") -> ForwardMsg:
    message = ForwardMsg(hash=f"{name} {part}")
    message.metadata.cacheable = True
    message.delta.new_element.markdown.body = name
    message.delta.fragment_id = part
    return message


def finish(parts: Sequence[str] = (), status: Any = ForwardMsg.FINISHED_SUCCESSFULLY) -> ForwardMsg:
    message = ForwardMsg(script_finished=status)
    message.metadata.run.fragment_ids.extend(parts)
    return message


class Browser:
    """Streamlit's own side, as 1.67 counts (ForwardMessageCache.ts; App.tsx, handleScriptFinished)."""

    def __init__(self) -> None:
        self.run = 0
        self.kept: dict[str, tuple[int, str]] = {}

    def receive(self, message: ForwardMsg, *, has_asked_again: bool = False) -> None:
        """Take the next message; a run's end is not counted by who *has_asked_again* and heard nothing of it yet."""
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            assert message.ref_hash in self.kept, f"{message.ref_hash} is a name for nothing"
            self.kept[message.ref_hash] = (self.run, self.kept[message.ref_hash][1])
        elif kind == "delta" and message.metadata.cacheable:
            part = self.kept.get(message.hash, (0, message.delta.fragment_id))[1]
            self.kept[message.hash] = (self.run, part)
        elif kind == "script_finished" and message.script_finished != EARLY and not has_asked_again:
            self.run += 1
            parts = list(message.metadata.run.fragment_ids)
            for name, (run, part) in list(self.kept.items()):
                if (not parts or (part and part in parts)) and self.run - run > MOST_AGE:
                    del self.kept[name]


elements = st.builds(element, st.sampled_from("ABC"), st.sampled_from(PARTS))
ends = st.one_of(
    st.builds(finish, st.lists(st.sampled_from(PARTS[1:]), max_size=2, unique=True)),
    st.just(finish(status=EARLY)),
    st.just(finish()),
)


@given(sent=st.lists(st.tuples(st.one_of(elements, ends), st.booleans()), max_size=60))
def test_nothing_is_named_that_the_browser_has_let_go_of(sent: list[tuple[ForwardMsg, bool]]):
    ours, browser = KeptElements(MOST_AGE), Browser()
    for message, has_asked_again in sent:
        browser.receive(ours.shorten(message), has_asked_again=has_asked_again)


@given(sent=st.lists(st.one_of(elements, ends), max_size=60))
def test_all_that_the_browser_keeps_is_named(sent: list[ForwardMsg]):
    ours, browser = KeptElements(MOST_AGE), Browser()
    for message in sent:
        is_kept = message.hash in browser.kept
        short = ours.shorten(message)
        assert (short.WhichOneof("type") == "ref_hash") is is_kept
        browser.receive(short)


def test_a_name_stands_where_its_element_did():
    ours, first, again = KeptElements(MOST_AGE), element("A"), element("A")
    again.metadata.delta_path.extend([0, 3])
    assert ours.shorten(first) is first
    short = ours.shorten(again)
    assert (short.ref_hash, list(short.metadata.delta_path)) == (first.hash, [0, 3])


def test_a_small_element_is_sent_each_time():
    ours, small = KeptElements(MOST_AGE), element("A")
    small.metadata.cacheable = False
    assert [ours.shorten(small) for _ in range(2)] == [small, small]


class Client:
    """A browser's connection, as far as `Runtime` sends on it."""

    def __init__(self) -> None:
        self.sent: list[ForwardMsg] = []

    def write_forward_msg(self, message: ForwardMsg) -> None:
        self.sent.append(message)

    @property
    def kinds(self) -> list[str | None]:
        return [message.WhichOneof("type") for message in self.sent]


class Session:
    """A session as `AppSession.request_rerun` and `Runtime` need one."""

    def __init__(self) -> None:
        self.client = Client()
        self.script_run_count = 0
        self.asked: list[Any] = []
        self._state = AppSessionState.APP_NOT_RUNNING
        self._client_state = ClientState()
        self._scriptrunner = None

    def _create_scriptrunner(self, data: Any) -> None:
        self.asked.append(data)

    def send(self, message: ForwardMsg) -> None:
        Runtime._send_message(None, self, message)  # type: ignore[arg-type]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(AppSession, "request_rerun", AppSession.request_rerun)
    monkeypatch.setattr(Runtime, "_send_message", Runtime._send_message)
    name_what_is_kept()
    return Session()


def test_no_script_takes_a_browsers_word_for_what_it_keeps(session: Session):
    state = ClientState(query_string="page=2", cached_message_hashes=["A "])
    AppSession.request_rerun(session, state)  # type: ignore[arg-type]
    AppSession.request_rerun(session, None)  # type: ignore[arg-type]
    assert [data.cached_message_hashes for data in session.asked] == [frozenset()] * 2
    assert session.asked[0].query_string == "page=2"


def test_what_was_sent_on_a_connection_is_named_on_it(session: Session):
    for message in (element("A"), finish(), element("A")):
        session.send(message)
    assert session.client.kinds == ["delta", "script_finished", "ref_hash"]
    assert session.script_run_count == 1


def test_who_connects_anew_is_sent_everything(session: Session):
    session.send(element("A"))
    session.client = Client()
    session.send(element("A"))
    assert session.client.kinds == ["delta"]
