"""The message editor: live count, placeholders at the cursor, and the phone beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from core.domain.texts.segments import MAX_SEGMENTS
from core.domain.texts.simplifying import REPLACEMENTS
from core.domain.words.characters import compose
from pages._ui.components.assets import read

_COMPOSER = st.components.v2.component(
    "heliograph_composer",
    html=read("composer.html").replace("<!-- phone -->", read("phone.html")),
    css=read("phone.css", "composer.css"),
    js=read("sms_measure.js", "phone.js", "sms_advice.js", "composer.js"),
)


@dataclass(frozen=True)
class Preview:
    """
    What the phone shows around the text.

    *values* maps the placeholders that may be inserted to what they hold for the recipient at
    *position* (from 1) of *total*; with a *total* of 0 there are no arrows. *simplifies* shows and counts the text with
    its typographic characters replaced.
    """

    sender_id: str
    name: str
    values: Mapping[str, str] = field(default_factory=dict)
    position: int = 1
    total: int = 0
    simplifies: bool = False


@dataclass(frozen=True)
class Composition:
    """What was typed, its letters in one piece, and which recipient's preview the arrows were left at."""

    text: str
    position: int


def composer(*, key: str, value: str, preview: Preview) -> Composition:
    """
    Draw the editor and return what it holds.

    *value* is the text it starts with. From then on the text belongs to the person typing: it survives
    reruns and hidden tabs, and only `replace` writes over it.
    """
    held = _find(key) or Composition(value, preview.position)
    st.session_state[_kept(key)] = held
    _COMPOSER(
        key=key,
        data={
            "text": held.text,
            "position": held.position,
            "epoch": _epoch(key),
            "sender": preview.sender_id,
            "name": preview.name,
            "values": dict(preview.values),
            "total": preview.total,
            "maxSegments": MAX_SEGMENTS,
            "replacements": REPLACEMENTS if preview.simplifies else {},
        },
        on_typed_change=lambda: None,
    )
    return held


def position(key: str) -> int:
    """Return which recipient the arrows stand at, from 1: a page needs it before it can fill the preview."""
    held = _find(key)
    return held.position if held else 1


def replace(key: str, text: str) -> None:
    """Write *text* into the editor, over whatever is there; call it before the editor is drawn."""
    st.session_state[f"{key}_epoch"] = _epoch(key) + 1
    st.session_state[_kept(key)] = Composition(text, 1)


def _find(key: str) -> Composition | None:
    typed = (st.session_state.get(key) or {}).get("typed")
    if typed and typed["epoch"] == _epoch(key):
        return Composition(compose(str(typed["text"])), int(typed["position"]))
    kept: Composition | None = st.session_state.get(_kept(key))
    return kept


def _epoch(key: str) -> int:
    return int(st.session_state.get(f"{key}_epoch", 0))


def _kept(key: str) -> str:
    return f"{key}_kept"
