"""The small pieces every page is built from."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import AppError, InvalidForm
from pages._ui import address, formats, navigation, session
from pages._ui.status import BADGES

BACK = "back"
# Where a session keeps what `flash` was told: a list of texts with their icons.
FLASHES = "widgets_flashes"
_PANEL = "widgets_panel"


@dataclass(frozen=True)
class _Panel:
    name: str
    subject: str
    title: str
    text: str
    stay: str


@dataclass
class Outcome:
    """Whether a block of service calls went through; read it after the block."""

    ok: bool = False


@contextmanager
def show_errors(places: Mapping[str, DeltaGenerator] | None = None) -> Generator[Outcome]:
    """
    Show an `AppError` to the person; everything unexpected passes through.

    The only place where an error becomes a message on screen: in the one of *places* that belongs to the
    error's field, and without such a place where the block stands.
    """
    outcome = Outcome()
    try:
        yield outcome
    except InvalidForm as error:
        _faults(error.faults)
    except AppError as error:
        with (places or {}).get(error.field) or nullcontext():
            fault(error.message, error.hint)
    else:
        outcome.ok = True


def fault(message: str, hint: str) -> None:
    """Show what went wrong, and what to do about it."""
    below = f"  \n{formats.plain(hint)}" if hint else ""
    st.error(f"**{formats.plain(message)}**{below}", icon=":material/error:")


def _faults(faults: Sequence[AppError]) -> None:
    """Show all that is wrong with a form in one list."""
    lines = "".join(f"\n- **{formats.plain(each.message)}** {formats.plain(each.hint)}" for each in faults)
    st.error(f"**{len(faults)} fields are to be mended:**\n{lines}", icon=":material/error:")


def open_panel(name: str, subject: str = "", *, title: str = "", text: str = "", stay: str = "") -> None:
    """
    Remember that the panel or question *name* (`<page>_<name>`) is open, and about what.

    Streamlit closes a dialog whenever the page is drawn again for any other reason, such as the
    end of an import in the background. A page that asks `is_open` each time keeps it open.
    """
    st.session_state[_PANEL] = _Panel(name, subject, title, text, stay)


def close_panel() -> None:
    """Forget the open panel; also what dismissing a dialog calls."""
    st.session_state.pop(_PANEL, None)


def is_open(name: str) -> bool:
    """Whether this panel is open."""
    panel: _Panel | None = st.session_state.get(_PANEL)
    return panel is not None and panel.name == name


def open_subject() -> str:
    """Return what the open panel is about."""
    panel: _Panel | None = st.session_state.get(_PANEL)
    return panel.subject if panel else ""


def leave_page(stem: str) -> None:
    """Close a panel that belongs to another page than *stem*; the frame calls it once per run."""
    panel: _Panel | None = st.session_state.get(_PANEL)
    if panel and not panel.name.startswith(f"{stem}_"):
        close_panel()


def confirmed(
    label: str, *, text: str, key: str, icon: str | None = None, primary: bool = False, stay: str = "Cancel"
) -> bool:
    """
    Draw a button that asks *text* before it acts; True once, on the run after OK.

    *stay* is on the button for no, where canceling is what is asked about.
    """
    if st.button(label, icon=icon, type="primary" if primary else "secondary", key=key):
        ask(key, label, title=f"{label}?", text=text, stay=stay)
    return answered(key) is not None


def ask(key: str, subject: str, *, title: str, text: str, stay: str = "Cancel") -> None:
    """
    Ask *text* (plain words) about *subject*, and start the run again: `answered` draws the question.

    So the question is drawn in one place only, whether the page asks before or after it listens.
    """
    open_panel(key, subject, title=title, text=text, stay=stay)
    st.rerun()


def answered(key: str) -> str | None:
    """Draw the question *key* while it is open; return its subject once, on the run after OK."""
    answer: str | None = st.session_state.pop(f"{key}_answer", None)
    if is_open(key):
        _question(st.session_state[_PANEL])
    return answer


def _question(panel: _Panel) -> None:
    @st.dialog(formats.plain(panel.title), on_dismiss=close_panel)
    def dialog() -> None:
        st.markdown(formats.plain(panel.text))
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancel = st.button(panel.stay, key=f"{panel.name}_cancel")
            if st.button("Ok", type="primary", key=f"{panel.name}_ok"):
                st.session_state[f"{panel.name}_answer"] = panel.subject
                cancel = True
        if cancel:
            close_panel()
            st.rerun()

    dialog()


def rows_gone() -> None:
    """Say where the rows that an import left out could be downloaded that they are not kept any more."""
    st.caption("The rows left out were kept for a time and have been deleted. To see them, import the file again.")


def why_not(reason: str) -> None:
    """Say beside a gray button why it is gray, in sight: such a button takes no focus, and a phone has no pointer."""
    if reason:
        st.caption(reason, width="content")


def save_or_cancel(panel: str, *, lacking: str = "") -> bool:
    """
    Draw both buttons of a panel that keeps a draft; True after Save. Cancel closes it and forgets the draft.

    Save waits as long as something is *lacking*, and that stands beside it.
    """
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        why_not(lacking)
        cancel = st.button("Cancel", key=f"{panel}_cancel")
        save = st.button("Save", type="primary", key=f"{panel}_save", disabled=bool(lacking))
    if cancel:
        close_panel()
        st.session_state.pop(f"{panel}_draft", None)
        st.rerun()
    return save


@contextmanager
def empty_state(icon: str, title: str, sentence: str) -> Generator[DeltaGenerator]:
    """Draw the card that stands where there is nothing yet; the block holds the call to action."""
    with st.container(border=True, horizontal_alignment="center"):
        st.title(f":primary[{icon}]", anchor=False, text_alignment="center")
        st.subheader(title, anchor=False, text_alignment="center")
        st.markdown(sentence, text_alignment="center")
        with st.container(horizontal=True, horizontal_alignment="center") as actions:
            yield actions


def status_badge(status: str) -> None:
    """Draw a status as a word with icon and color."""
    icon, color = BADGES[status]
    st.badge(str(status), icon=f":material/{icon}:", color=color)


@dataclass(frozen=True)
class Tile:
    """A number with its name; *note* is a short line below it."""

    label: str
    value: str
    note: str = ""
    help: str = ""


def tiles(items: Sequence[Tile], *, min_width: int = 150) -> None:
    """Draw numbers in equal cards side by side, or in rows where each would get less than *min_width* pixels."""
    with st.grid(len(items), min_column_width=min_width):
        for tile in items:
            st.metric(
                tile.label,
                tile.value,
                tile.note or None,
                delta_color="off",
                delta_arrow="off",
                help=tile.help or None,
                border=True,
                height="stretch",
            )


def progress(value: float, text: str) -> None:
    """Draw a bar (0..1) with its meaning in words."""
    st.progress(min(max(value, 0.0), 1.0), text=text)


def place() -> DeltaGenerator:
    """
    Return a place for what comes and goes, kept while nothing is there.

    Streamlit tells elements apart by how many come before them: without it what follows moves up when something goes,
    and stands on the page twice until the run ends.
    """
    return st.container()


@contextmanager
def card(title: str, *, key: str, help: str = "") -> Generator[DeltaGenerator]:  # noqa: A002 - Streamlit's own word
    """Draw a section with a border and a heading around the block."""
    with st.container(border=True, height="stretch", key=key) as container:
        st.subheader(title, anchor=False, help=help or None)
        yield container


def facts(values: Mapping[str, str]) -> None:
    """Draw a list of names and plain values."""
    st.table({name: formats.plain(value) for name, value in values.items()}, border="horizontal", width="stretch")


def flash(text: str, *, icon: str = ":material/check_circle:") -> None:
    """Say something that survives the rerun or page change that follows."""
    st.session_state.setdefault(FLASHES, []).append((text, icon))


def show_flashes() -> None:
    """Show what `flash` was told; the frame calls it once per run."""
    for text, icon in st.session_state.pop(FLASHES, []):
        st.toast(formats.plain(text), icon=icon)


def go(stem: str, **query: str | Iterable[str]) -> None:
    """Leave for another page."""
    st.switch_page(navigation.page_path(stem), query_params=query)


def way_back() -> str:
    """Return this page's filters as they stand in its address, for a page that leads back to it."""
    return urlencode(address.pairs())


def go_back(stem: str) -> None:
    """Return to the page *stem* as it was: its `way_back` is in the parameter "back" of the one that is left."""
    st.switch_page(navigation.page_path(stem), query_params=parse_qs(address.get(BACK)))


def link(
    label: str, stem: str, *, key: str, icon: str | None = None, primary: bool = False, width: str = "content"
) -> None:
    """Draw a button that leads to another page; nothing for a viewer who may not open it."""
    if is_followed(label, stem, key=key, icon=icon, primary=primary, width=width):
        go(stem)


def is_followed(
    label: str, stem: str, *, key: str, icon: str | None = None, primary: bool = False, width: str = "content"
) -> bool:
    """Draw the button of a `link`; True on the run after a click, for who has something to do before leaving."""
    _, viewer = session.current()
    if not navigation.get_screen(stem).is_open_to(viewer):
        return False
    return st.button(label, icon=icon, type="primary" if primary else "secondary", key=key, width=width)
