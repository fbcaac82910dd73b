"""How a gateway stands just now: the top of its panel, drawn anew by itself while somebody looks at it."""

import streamlit as st

from core.domain.gateways.gateways import GatewaySetup, GatewayStatus
from core.domain.gateways.sights import InUse, LinkStatus, Standing
from core.domain.people.permissions import Viewer
from core.gateways.kinds import GatewayKind
from core.services.accounts.watching_gateways import LiveGateway, LiveLink
from pages._ui import formats, session, widgets

KEY = "gateways"
REFRESH_S = 2
# What each status of a connection is called.
_STATES = {
    LinkStatus.BOUND: "Connected",
    LinkStatus.CONNECTING: "Connecting",
    LinkStatus.BINDING: "Logging in",
    LinkStatus.ENDING: "Ending",
    LinkStatus.WAITING: "Waiting to try again",
    LinkStatus.CLOSED: "Closed",
}
_NAMED_MOST = 5


def show(name: str, kind: GatewayKind | None) -> None:
    """Draw it, every two seconds; the rest of the panel stands still."""

    @st.fragment(run_every=REFRESH_S)
    def live() -> None:
        app, viewer = session.current()
        with widgets.show_errors():
            _show(app.accounts.watching.look(viewer, name, session.now()), kind, viewer)

    with widgets.place():
        live()


def _show(found: LiveGateway, kind: GatewayKind | None, viewer: Viewer) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        widgets.status_badge(found.standing)
        title = kind.title if kind else formats.plain(found.setup.kind)
        st.caption(f"{title}{_limit(found.setup)}", width="content")
    with widgets.place():
        _say(found, viewer)
    widgets.tiles(_tiles(found), min_width=185)
    with widgets.place():
        if found.links:
            _connections(found.links, viewer)
        elif found.worker_count and found.in_use.most:
            st.caption("It keeps no connection open: each request makes one, or uses one that is still there.")
    with widgets.place():
        if found.faults:
            _faults(found, viewer)


def _say(found: LiveGateway, viewer: Viewer) -> None:
    """Say in sentences what stands in the way, if anything does."""
    setup = found.setup
    if setup.status is GatewayStatus.FAILING:
        since = formats.moment(setup.fault_at, viewer.time_zone)
        widgets.fault(setup.fault, f"Since {since}. {_what_next(setup, viewer)}{_held(found)}{_detours(found)}")
    elif found.standing is Standing.REFUSING:
        _say_refusal(found, viewer)
    elif found.standing is Standing.NEW:
        st.caption("Nothing has connected to it, and nothing was sent by it, since it was set up like this.")
    elif found.standing is Standing.TEST_FAILED:
        at = formats.moment(setup.fault_at, viewer.time_zone)
        # Below, the test that was just made says it loudly, with what to do.
        st.caption(
            formats.plain(f"The test on {at} failed: {setup.fault} Nothing was sent since it was set up like this.")
        )
    elif found.standing is Standing.UNCONNECTED:
        text = f"No worker is connected to it. They try again and again.{_detours(found)}"
        st.warning(formats.plain(text), icon=":material/link_off:")
    if not found.worker_count:
        st.warning(
            "No worker runs, so nothing is connected and nothing is sent. Ask whoever runs Heliograph to start one.",
            icon=":material/power_off:",
        )


def _what_next(setup: GatewaySetup, viewer: Viewer) -> str:
    if setup.needs_person:
        return "It is not tried again by itself: see to what is wrong, then test the connection."
    if setup.probe_at is None:
        return "It is tried again and again until it is back."
    at = formats.precise(setup.probe_at, viewer.time_zone)
    return f"It is tried again at {at}, and again and again until it is back."


def _say_refusal(found: LiveGateway, viewer: Viewer) -> None:
    when = formats.moment(found.refused_at, viewer.time_zone)
    why = found.faults[0].text if found.faults else "It took nothing."
    follows = f"Last tried on {when}. It is tried again with the next messages.{_detours(found)}"
    st.warning(f"**{formats.plain(why)}**  \n{formats.plain(follows)}", icon=":material/warning:")


def _held(found: LiveGateway) -> str:
    if not found.held and not found.others_held_count:
        return " No campaign waits for it."
    names = found.held[:_NAMED_MOST]
    if not names:
        return f" Waiting for it: {formats.count(found.others_held_count, 'campaign', 'campaigns')} of other accounts."
    more = len(found.held) - len(names) + found.others_held_count
    return f" Waiting for it: {', '.join(names)}{f' and {more} more' if more else ''}."


def _detours(found: LiveGateway) -> str:
    """Say by which other gateways messages go meanwhile."""
    by_gateway = dict[str, list[str]]()
    for account, other in found.detours:
        by_gateway.setdefault(other, []).append(account)
    said = [f"Messages of {', '.join(accounts)} go by {other} meanwhile." for other, accounts in by_gateway.items()]
    return "".join(f" {each}" for each in said)


def _tiles(found: LiveGateway) -> list[widgets.Tile]:
    over = "Over the last ten seconds, by all workers."
    tiles = [
        widgets.Tile("Messages per second", formats.speed(found.submitted_per_s), help=over),
        widgets.Tile("Receipts per second", formats.speed(found.receipts_per_s), help=over),
    ]
    if found.in_use.most:
        what = "Messages" if found.links else "Requests"
        explained = f"{what} that wait for an answer, of all that may at a time, by all workers."
        tiles.append(widgets.Tile("Window in use", _used(found.in_use), help=explained))
    return tiles


def _connections(links: tuple[LiveLink, ...], viewer: Viewer) -> None:
    several = len({each.worker for each in links}) > 1
    rows = {"Connection": list[str](), "State": list[str](), "In use": list[str](), "Last error": list[str]()}
    for each in links:
        link = each.link
        rows["Connection"].append(f"Worker {each.worker}, {link.number}" if several else str(link.number))
        since = formats.recent(link.since, session.now(), viewer.time_zone)
        rows["State"].append(formats.plain(f"{_STATES[link.status]} since {since}"))
        # A narrow column may break it between its words, not within a number.
        used = _used(InUse(link.in_flight, link.window)).replace(formats.FIXED, " ")
        rows["In use"].append(used if link.window else "Only hears")
        rows["Last error"].append(formats.plain(link.fault or formats.NOTHING))
    with st.container(key=f"{KEY}_connections"):
        st.table(rows, border="horizontal", width="stretch")


def _faults(found: LiveGateway, viewer: Viewer) -> None:
    with st.expander("Last errors", icon=":material/history:", key=f"{KEY}_faults"):
        for fault in found.faults:
            first, last = (
                formats.recent(each, session.now(), viewer.time_zone) for each in (fault.first_at, fault.last_at)
            )
            when = first if first == last else f"{first} to {last}"
            st.markdown(f"**{formats.plain(when)}**  \n{formats.plain(fault.text)}")


def _limit(setup: GatewaySetup) -> str:
    return f" – at most {formats.per_second(setup.rate_tps)}" if setup.rate_tps else ""


def _used(used: InUse) -> str:
    return f"{formats.number(used.count)} of {formats.number(used.most)}".replace(" ", formats.FIXED)
