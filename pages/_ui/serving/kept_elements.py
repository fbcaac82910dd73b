"""
A large element that the browser still keeps is not sent to it again, but named.

Streamlit lets the browser say with each request what it keeps, and names that in the answer. But the browser lets go of
what was not on the page for some runs at the end of each run, also of one that it had asked for before and whose answer
was still on its way. Who changed something quickly, and back to what it had been a moment ago, got a name that the
browser no longer knew: "Connection error", over a page that was dead until it was loaded anew. Streamlit's own people
thought of it (pull request 11302) and left it so.

Here the server counts along, in the order in which it sends, and asks nobody. When a new version of Streamlit has the
functions elsewhere, `tests/pages/_ui/serving/test_kept_elements.py` fails; when its browser counts otherwise, that of
`tests/e2e/test_quick_send.py` does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.forward_msg_cache import create_reference_msg
from streamlit.runtime.runtime import Runtime


def name_what_is_kept() -> None:
    """Name elements by what was sent on a connection, from now on, instead of by what its browser says it keeps."""
    _take_nobodys_word()
    _shorten_as_sent()


def _take_nobodys_word() -> None:
    ask: Callable[[AppSession, ClientState | None], None] = AppSession.request_rerun

    def ask_for_all(self: AppSession, state: ClientState | None) -> None:
        if state is not None:
            state.ClearField("cached_message_hashes")
        ask(self, state)

    AppSession.request_rerun = ask_for_all  # type: ignore[method-assign]


def _shorten_as_sent() -> None:
    send: Callable[[Runtime, Any, ForwardMsg], None] = Runtime._send_message  # noqa: SLF001
    # By connection: a browser that comes back may have missed what was sent last.
    browsers: WeakKeyDictionary[Any, KeptElements] = WeakKeyDictionary()

    def send_short(self: Runtime, session: Any, message: ForwardMsg) -> None:
        kept = browsers.get(session.client)
        if kept is None:
            kept = browsers[session.client] = KeptElements(int(config.get_option("global.maxCachedMessageAge")))
        send(self, session, kept.shorten(message))

    Runtime._send_message = send_short  # type: ignore[method-assign]  # noqa: SLF001


@dataclass
class _Element:
    """An element that was sent: in which run last, and which part of the page it stands in, "" for none."""

    run: int
    fragment_id: str


class KeptElements:
    """
    What one browser keeps of the large elements it was sent: at most what it really does.

    Args:
        most_age: So many runs may have ended since an element was last sent or named; one more, and it is let go of.
    """

    def __init__(self, most_age: int) -> None:
        self._most_age = most_age
        self._run = 0
        self._elements: dict[str, _Element] = {}

    def shorten(self, message: ForwardMsg) -> ForwardMsg:
        """Return what is sent in place of *message*, the next one of the connection: itself, or its element's name."""
        if message.WhichOneof("type") == "script_finished":
            self._end_run(message)
        elif message.metadata.cacheable and message.hash:
            kept = self._elements.get(message.hash)
            if kept is not None:
                kept.run = self._run
                return create_reference_msg(message)
            self._elements[message.hash] = _Element(self._run, message.delta.fragment_id)
        return message

    def _end_run(self, message: ForwardMsg) -> None:
        """Let go of what the browser lets go of; when it counts fewer runs, as it does at times, it keeps more."""
        if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return
        self._run += 1
        parts = message.metadata.run.fragment_ids
        for name, element in list(self._elements.items()):
            # What stands elsewhere was not drawn by a run of some parts, and is kept.
            if (not parts or element.fragment_id in parts) and self._run - element.run > self._most_age:
                del self._elements[name]
