"""What a preflight found, in words: what keeps a campaign from being launched, what to know, and which rows it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.domain.campaigns.preflight import Preflight, RowKind, Widened
from core.domain.messages.messages import Exclusion
from core.domain.words.characters import name_characters
from core.domain.words.counting import agree
from pages._ui import formats

# So many different cells that are no values are shown.
MOST_CELLS = 5
# Why a row is left out, as a sentence goes on after "… recipients".
REASONS: Mapping[str, str] = {
    Exclusion.DUPLICATE: "are on the lists more than once: each number gets one message",
    Exclusion.LEFT_OUT: "are on a list that is left out",
    Exclusion.SUPPRESSED: "do not want messages of this account (suppressed)",
    Exclusion.SUPPRESSED_EVERYWHERE: "do not want messages of any account (suppressed)",
    Exclusion.EMPTY_MESSAGE: "would get an empty message",
    Exclusion.TOO_LONG: "would need more segments than a message may have",
    Exclusion.NO_PRICE: "are in destinations without a price",
}

_REASONS_OF_ONE = {
    Exclusion.DUPLICATE: "is on the lists more than once: each number gets one message",
    Exclusion.LEFT_OUT: "is on a list that is left out",
    Exclusion.SUPPRESSED: "does not want messages of this account (suppressed)",
    Exclusion.SUPPRESSED_EVERYWHERE: "does not want messages of any account (suppressed)",
    Exclusion.NO_PRICE: "is in a destination without a price",
}


@dataclass(frozen=True)
class Finding:
    """
    One thing to know. *level* is "stop", "warn" or "info"; *text* is Markdown.

    *kind* and *subject* name the rows it is about; a finding without a *kind* is about none, or about the campaign
    *campaign_id*.
    """

    level: str
    text: str
    kind: RowKind | None = None
    subject: str = ""
    campaign_id: str = ""


def list_findings(preflight: Preflight, fallbacks: Mapping[str, str], time_zone: str) -> list[Finding]:
    """Return everything that was found, what stops the launch first; *fallbacks* are the draft's, by placeholder."""
    found = [
        *_stops(preflight, time_zone),
        *_widenings(preflight),
        *_gaps(preflight, fallbacks),
        *_warnings(preflight, time_zone),
        *_exclusions(preflight),
    ]
    return sorted(found, key=lambda finding: ("stop", "warn", "info").index(finding.level))


def _stops(preflight: Preflight, time_zone: str) -> Iterator[Finding]:
    counted = preflight.counted
    if not counted.recipient_count:
        yield Finding("stop", "**Nobody would receive a message.** See why the rows are excluded.", RowKind.ALL)
    if preflight.missed_at is not None:
        at = formats.moment(preflight.missed_at, time_zone)
        yield Finding("stop", f"**The schedule time is in the past** ({at}). Choose a later one, or remove it.")
    own = preflight.own_budget_eur_cents
    if own is not None and preflight.is_beyond_own_budget:
        missing = formats.euros(counted.cost_eur_cents - own)
        yield Finding(
            "stop",
            f"**The campaign costs more than its own budget.** The budget is {formats.euros(own)}; {missing} more is "
            "needed. Raise the budget in the draft, send to fewer recipients, or shorten the message.",
        )
    left = preflight.budget_left_eur_cents
    if left is not None and preflight.is_beyond_budget:
        missing = formats.euros(counted.cost_eur_cents - left)
        yield Finding(
            "stop",
            f"**The account's budget is not enough.** {_left(left)} this month; {missing} more is "
            "needed. Send to fewer recipients, or ask an administrator to raise the budget on Traffic Accounts.",
        )


def _left(left_eur_cents: Decimal) -> str:
    # Less than nothing: campaigns under way have more to send than there is for it.
    if left_eur_cents < 0:
        return "With what campaigns under way have still to send, nothing is left"
    return f"{formats.euros(left_eur_cents)} is left"


def _widenings(preflight: Preflight) -> Iterator[Finding]:
    for widened in preflight.counted.widened:
        yield Finding("warn", _widened(widened), RowKind.WIDENED, widened.name)


def _gaps(preflight: Preflight, fallbacks: Mapping[str, str]) -> Iterator[Finding]:
    for name, count in preflight.counted.empty.items():
        fallback = fallbacks.get(name)
        instead = f"“{formats.plain(fallback)}” is used instead" if fallback else "it is left blank"
        has = agree(count, "has", "have")
        text = f"**{_people(count)}** {has} no value for {{{formats.plain(name)}}}: {instead}."
        yield Finding("warn", text, RowKind.EMPTY, name)
    for name, cells in preflight.counted.no_values.items():
        shown = ", ".join(
            f"“{formats.plain(cell)}”" for cell in sorted(cells, key=lambda cell: (-cells[cell], cell))[:MOST_CELLS]
        )
        count = sum(cells.values())
        has = agree(count, "has", "have")
        text = f"**{_people(count)}** {has} {shown} for {{{formats.plain(name)}}}, and will be sent exactly that."
        yield Finding("warn", text, RowKind.NO_VALUE, name)


def _warnings(preflight: Preflight, time_zone: str) -> Iterator[Finding]:
    counted = preflight.counted
    if preflight.is_free_despite_budget:
        yield Finding(
            "warn",
            "**These messages cost nothing by the account's prices, so no budget stops them.** If the provider charges "
            "for them, ask an administrator to import a price list on the page Traffic Accounts.",
        )
    if counted.frequent_count:
        rule, was = preflight.frequency, agree(counted.frequent_count, "was", "were")
        yield Finding(
            "warn",
            f"**{_people(counted.frequent_count)}** {was} texted more than "
            f"{formats.count(rule.most, 'time', 'times')} in the last {formats.count(rule.days, 'day', 'days')}.",
            RowKind.FREQUENT,
        )
    for repeat in preflight.repeats:
        what = "The same text" if repeat.same_text else "One of these lists"
        at = formats.moment(repeat.launched_at, time_zone)
        yield Finding(
            "warn",
            f"**{what} was sent today**, by {formats.plain(repeat.name)} ({at}).",
            campaign_id=repeat.campaign_id,
        )
    for text, left in preflight.doubled:
        plain, rest = formats.plain(text), formats.plain(left)
        yield Finding("warn", f"**{plain}** has too many braces: **{rest}** will be sent, with the value in it.")
    for text in preflight.stray:
        yield Finding("warn", f"**{formats.plain(text)}** is not a placeholder and will be sent as it is.")


def _exclusions(preflight: Preflight) -> Iterator[Finding]:
    for reason, count in sorted(preflight.counted.excluded.items(), key=lambda item: -item[1]):
        several = REASONS.get(reason, reason)
        text = f"**{_people(count)}** {agree(count, _REASONS_OF_ONE.get(reason, several), several)}."
        yield Finding("info", text, RowKind.EXCLUDED, reason)
    for name, count in preflight.refused.items():
        rows = formats.count(count, "row", "rows")
        was = agree(count, "was", "were")
        text = f"**{rows}** of {formats.plain(name)} had no usable number and {was} rejected at import."
        yield Finding("info", text)


def _widened(widened: Widened) -> str:
    where = f"in {{{formats.plain(widened.name)}}}" if widened.name else "in the message"
    characters = formats.plain(name_characters(widened.characters))
    extra = formats.euros(widened.extra_eur_cents)
    need = agree(widened.recipient_count, "needs", "need")
    segments = formats.count(widened.segment_count, "segment", "segments")
    return (
        f"**{_people(widened.recipient_count)}** {need} {segments} instead of {widened.plain_count} "
        f"because of {characters} {where}: +{extra}."
    )


def _people(count: int) -> str:
    return formats.count(count, "recipient", "recipients")
