"""A page that the server has forgotten is drawn whole for whoever clicks in a part of it."""

from typing import Any

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.state import SessionState

from pages._ui.serving.opened_anew import begin_with_whole_pages
from pages._ui.widgets import FLASHES


class Session:
    """A session as `AppSession.request_rerun` needs one, that knows no part of any page."""

    def __init__(self) -> None:
        self._state = AppSessionState.APP_NOT_RUNNING
        self._client_state = ClientState()
        self._scriptrunner = None
        self.session_state = SessionState()
        self.drawn: list[Any] = []

    def has_fragment(self, _fragment_id: str) -> bool:
        return False

    def _create_scriptrunner(self, data: Any) -> None:
        self.drawn.append(data)

    def ask(self, **state: Any) -> None:
        AppSession.request_rerun(self, ClientState(query_string="", **state))  # type: ignore[arg-type]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(AppSession, "request_rerun", AppSession.request_rerun)
    begin_with_whole_pages()
    return Session()


def test_a_click_in_a_part_of_a_forgotten_page_draws_the_page_and_says_so(session: Session):
    session.ask(fragment_id="gone", page_script_hash="lists")
    assert [(data.fragment_id, data.page_script_hash) for data in session.drawn] == [(None, "lists")]
    ((text, _),) = session.session_state[FLASHES]
    assert "reloaded" in text


def test_a_part_that_ticks_draws_the_page_without_a_word(session: Session):
    session.ask(fragment_id="gone", is_auto_rerun=True)
    assert [(data.fragment_id, data.is_auto_rerun) for data in session.drawn] == [(None, True)]
    assert FLASHES not in session.session_state


def test_a_page_that_is_known_is_left_alone(session: Session):
    session.ask()
    session.ask(fragment_id="taken away by the run before")
    assert len(session.drawn) == 1
    assert FLASHES not in session.session_state
