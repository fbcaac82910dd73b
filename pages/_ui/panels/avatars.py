"""People's pictures: in the toolbar of every page, and as they will look before they are saved."""

from collections.abc import Callable
from html import escape

import streamlit as st

from core.files.pictures import data_uri, shrink
from pages._ui import session

# The address of a picture takes about 130 KB, that of a small one a tenth; people look at their own.
_MOST = 200


def toolbar_style() -> str:
    """Return what lets the toolbar's button show the viewer's picture instead of initials, "" without one."""
    address = _own(small=True)
    # The initials stay for those who hear the page.
    rules = f"background:center/cover url({address})!important;color:transparent!important"
    return f"<style>.st-key-frame_avatar button{{{rules}}}</style>" if address else ""


def own_address() -> str:
    """Return the address of the viewer's picture, "" without one."""
    return _own(small=False)


@st.cache_data(max_entries=20, show_spinner=False)
def preview_address(content: bytes, _draw: Callable[[bytes], bytes]) -> str:
    """Return the address of an uploaded picture as *_draw* would keep it. Raises: InvalidInput: as *_draw*."""
    return data_uri(_draw(content))


def show(address: str, alt: str) -> None:
    """Draw a picture round, as it is shown in the toolbar."""
    style = "border-radius:50%;display:block"
    st.html(f'<img src="{address}" alt="{escape(alt)}" width="112" height="112" style="{style}">', width="content")


def _own(*, small: bool) -> str:
    app, viewer = session.current()
    digest = app.people.own_account.find_avatar_digest(viewer)
    return _address(digest, small, lambda: app.people.own_account.find_avatar(viewer)) if digest else ""


# With another picture the digest is another one.
@st.cache_data(max_entries=_MOST, show_spinner=False)
def _address(digest: str, small: bool, _load: Callable[[], bytes | None]) -> str:  # noqa: ARG001 - what it is kept by
    portrait = _load()
    if portrait is None:
        return ""
    return data_uri(shrink(portrait) if small else portrait)
