"""The parts of the Preflight page: the totals, the findings, the costs by network, and the launch."""

from decimal import Decimal

import streamlit as st

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.campaigns.preflight import Preflight, RowKind
from core.domain.numbering import country_name
from core.domain.words.counting import agree
from core.services.campaigns.preflighting import Look
from pages._ui import formats, session, tables, widgets
from pages._ui.panels import ways
from pages._ui.screens.preflight import preflight_rows
from pages._ui.screens.preflight.preflight_findings import Finding, list_findings
from pages._ui.widgets import Tile

KEY = "preflight"
_SEEN = f"{KEY}_seen"
_DRAWN = {
    "stop": (st.error, ":material/block:"),
    "warn": (st.warning, ":material/warning:"),
    "info": (st.info, ":material/info:"),
}
MOST_DESTINATIONS = 8


def header(campaign: Campaign) -> None:
    """Draw the campaign's name, and the way back to the draft."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}_header"):
        st.header(formats.plain(campaign.name), anchor=False, width="content")
        widgets.status_badge(campaign.status)
        st.space("stretch")
        if campaign.status is not CampaignStatus.INACTIVE:
            if st.button("Show campaign", icon=":material/campaign:", key=f"{KEY}_launched"):
                widgets.go("campaign", id=campaign.campaign_id)
        elif st.button("Continue editing", icon=":material/edit:", key=f"{KEY}_edit"):
            widgets.go("create_campaign", id=campaign.campaign_id)


def totals(campaign: Campaign, found: Preflight) -> None:
    """Draw what it comes to."""
    _, viewer = session.current()
    counted = found.counted
    rows = formats.count(counted.audience_count, "row", "rows")
    widgets.tiles(
        (
            Tile("Recipients", formats.number(counted.recipient_count), f"of {rows}"),
            Tile("Segments", formats.number(counted.segment_count), _lengths(found)),
            Tile("Cost", formats.euros(counted.cost_eur_cents), _budget(found)),
            Tile(
                "Takes",
                formats.duration(found.duration.total_seconds()),
                "at best",
                help=f"If nothing else is sent from the account or by its gateway meanwhile. {found.rates.in_words()}",
            ),
            _begins(campaign, found, viewer.time_zone),
        )
    )


def way(look: Look) -> None:
    """Draw from which account, through which gateway and how fast it goes."""
    st.caption(f":material/route: {ways.sentence(look.account)} {look.preflight.rates.in_words()}")


def _begins(campaign: Campaign, found: Preflight, time_zone: str) -> Tile:
    """Return when it begins and ends; a day and a time together would be too long for a tile."""
    start, end = formats.in_zone(found.starts_at, time_zone), formats.in_zone(found.ends_at, time_zone)
    ends = f"ends {end:%H:%M}" if end.date() == start.date() else f"ends {end:%d/%m %H:%M}"
    if campaign.schedule_at is None:
        return Tile("Begins", "now", ends)
    return Tile("Begins", f"{start:%H:%M}", f"{start:%d/%m}, {ends}")


def _lengths(found: Preflight) -> str:
    longer = [item for item in found.counted.lengths if item.segment_count > 1]
    if not longer:
        return "one each"
    count = sum(item.recipient_count for item in longer)
    return f"{formats.number(count)} {agree(count, 'needs', 'need')} several"


def _budget(found: Preflight) -> str:
    """Return what the cost is compared with: the campaign's budget, or what is left of the account's if less."""
    own, left = found.own_budget_eur_cents, found.budget_left_eur_cents
    if own is not None and (left is None or own <= left):
        return f"of {formats.euros(own)} budget"
    return "no budget set" if left is None else f"of {formats.euros(max(left, Decimal(0)))} left"


def findings(campaign: Campaign, found: Preflight) -> None:
    """Draw everything that was found, each with a way to its rows."""
    _, viewer = session.current()
    with widgets.card("Findings", key=f"{KEY}_findings"):
        listed = list_findings(found, campaign.fallbacks, viewer.time_zone)
        if not listed:
            st.success("Nothing stands out: every row gets its message.", icon=":material/check_circle:")
        for number, finding in enumerate(listed):
            with st.container(gap="xxsmall"):
                _finding(number, finding)


def _finding(number: int, finding: Finding) -> None:
    draw, icon = _DRAWN[finding.level]
    draw(finding.text, icon=icon)
    if finding.kind is not None:
        st.button(
            "Show rows",
            key=f"{KEY}_show_{number}",
            type="tertiary",
            icon=":material/table_rows:",
            on_click=preflight_rows.choose,
            args=(finding.kind, finding.subject),
        )
    elif finding.campaign_id and st.button(
        "Show campaign", key=f"{KEY}_show_{number}", type="tertiary", icon=":material/campaign:"
    ):
        widgets.go("campaign", id=finding.campaign_id)


def destinations(found: Preflight) -> None:
    """Draw what goes where, the most expensive first; a row leads to its recipients."""
    with widgets.card("Cost by network", key=f"{KEY}_costs"):
        items = found.counted.destinations
        subjects = [f"{item.country}/{item.mccmnc}" for item in items[:MOST_DESTINATIONS]]
        click = tables.show(
            items[:MOST_DESTINATIONS],
            (
                tables.text("Country", lambda item: country_name(item.country)),
                tables.text("Network", "network"),
                tables.number("Recipients", "recipient_count"),
                tables.euros("Cost", "cost_eur_cents"),
            ),
            key=f"{KEY}_destinations",
            alt="Cost by network",
            actions={"view": ":material/visibility:"},
        )
        if len(items) > MOST_DESTINATIONS:
            rest = formats.count(len(items) - MOST_DESTINATIONS, "more network", "more networks")
            cost = sum((item.cost_eur_cents for item in items[MOST_DESTINATIONS:]), Decimal(0))
            st.caption(f"and {rest} for {formats.euros(cost)}")
        if clicked := tables.find_clicked(f"{KEY}_destinations", click, subjects):
            preflight_rows.choose(RowKind.DESTINATION, clicked)
            st.rerun()


def launch(look: Look) -> None:
    """Draw the button that launches what was looked at, and nothing else; a launched campaign has none."""
    app, viewer = session.current()
    # Above the bar: whoever clicks looks there, and the page may be long.
    trouble = st.bottom.container()
    seen = st.session_state.pop(_SEEN, None)
    if seen is not None:
        with trouble, widgets.show_errors():
            launched = app.campaigns.launching.decide(viewer, look, session.now(), seen)
            widgets.go("campaign", id=launched.campaign_id)
    if look.campaign.status is CampaignStatus.INACTIVE:
        _launch_bar(look)


def _launch_bar(look: Look) -> None:
    _, viewer = session.current()
    blocker, schedule_at = look.blocker, look.campaign.schedule_at
    counted = look.preflight.counted
    people = formats.count(counted.recipient_count, "recipient", "recipients")
    cost = formats.euros(counted.cost_eur_cents)
    when = "immediately" if schedule_at is None else f"on {formats.moment(schedule_at, viewer.time_zone)}"
    with (
        st.bottom,
        st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}_launch_bar"),
    ):
        st.markdown(f"**{people}** for **{cost}**, {when}", width="content")
        st.space("stretch")
        widgets.why_not(f"{blocker.message} {blocker.hint}" if blocker else "")
        st.button(
            "Launch" if schedule_at is None else "Schedule",
            icon=":material/rocket_launch:",
            type="primary",
            key=f"{KEY}_launch",
            disabled=blocker is not None,
            on_click=_remember,
            args=(look.preflight.fingerprint,),
        )


def _remember(fingerprint: str) -> None:
    """Keep what the button was drawn with: the run after the click looks again, but the person has not."""
    st.session_state[_SEEN] = fingerprint
