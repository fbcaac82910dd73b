"""
A browser whose page the server has forgotten, because its process ended or the machine slept, gets the page again.

The browser connects anew and keeps showing what it has. A click in a panel or a popover asks for that part alone, which
Streamlit drops without a word where it does not know it: the panel would be dead. When a new version of Streamlit has
the function elsewhere, `tests/pages/_ui/serving/test_opened_anew.py` fails.
"""

from collections.abc import Callable
from weakref import WeakSet

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

from pages._ui import widgets

_SAID = "The page was reloaded: anything not saved has to be entered again."


def begin_with_whole_pages() -> None:
    """Draw the whole page when the first thing that a session is asked for is a part of one."""
    ask: Callable[[AppSession, ClientState | None], None] = AppSession.request_rerun
    asked: WeakSet[AppSession] = WeakSet()

    def ask_whole_first(self: AppSession, state: ClientState | None) -> None:
        if state is not None and state.fragment_id and self not in asked:
            state.fragment_id = ""
            # What ticks by itself holds nothing that somebody has entered.
            if not state.is_auto_rerun:
                self.session_state[widgets.FLASHES] = [(_SAID, ":material/restart_alt:")]
        asked.add(self)
        ask(self, state)

    AppSession.request_rerun = ask_whole_first  # type: ignore[method-assign]
