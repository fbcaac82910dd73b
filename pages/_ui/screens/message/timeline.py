"""A message's way, drawn as a timeline: queued, submitted, every receipt as it came, and what it came to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from itertools import pairwise
from pathlib import Path

import streamlit as st

from core.domain.campaigns.campaigns import Source
from core.domain.messages.error_codes import ErrorClass, ErrorMeaning
from core.domain.messages.messages import DeliveryStatus
from core.domain.messages.receipts import Effect
from core.services.reports.tracing import MessageTrace, TracedReceipt
from pages._ui import formats

_CSS = Path(__file__).with_name("timeline.css")
_UNKNOWN, _NOW = "Not known", "Now"
_SECOND = timedelta(seconds=1)
_TONES = {DeliveryStatus.DELIVERED: "good", DeliveryStatus.UNDELIVERED: "bad", DeliveryStatus.SUBMITTED: "way"}

# What a receipt did: a tag beside its word, and a sentence; a tag of its own is the status it led to.
_EFFECTS = {
    Effect.CHANGED: ("", "Changed the status."),
    Effect.REFINED: ("", "Did not change the status; its earlier time or its error code is used."),
    Effect.ON_THE_WAY: ("On the way", "Not a final state, so nothing changed."),
    Effect.REPEATED: ("Repeated", "Already received, so ignored."),
    Effect.OUT_OF_ORDER: ("Out of order", "Came after the final state, so ignored."),
    Effect.LATE: ("Late", "Came after a final state that counts, so ignored."),
}
_LASTING = {
    ErrorClass.PERMANENT: "; sending again will not help",
    ErrorClass.TEMPORARY: "; may be temporary",
    ErrorClass.ACCOUNT: "; the problem is the account, not this receiver",
    ErrorClass.UNKNOWN: "",
}
_UNKNOWN_WORD = "Not an SMPP state: kept as received, it proves neither delivery nor failure."
_NOT_QUEUED = {
    Source.API: "Messages that come through the API are recorded when they are submitted.",
    Source.IMPORT: "For an imported message, no time before it was sent is known.",
}
_LAUNCHED = "The campaign was launched. The time its audience was frozen was not recorded."
_FROZEN = "The campaign's audience was frozen: rendered, priced and queued."
_NO_RECORD = "The time the message was queued was not recorded."
_NOT_KEPT = "The final receipt was not kept: the message was imported, or is older than the receipts on record."


@dataclass(frozen=True)
class Step:
    """
    One dot of the timeline, all in plain words.

    *moment* is when, or a word where there is no time. *tone* is a class of timeline.css: good, bad, way, or "" for
    gray. *style* is open for what is not known or has not happened, ignored for what counts for nothing, else "".
    """

    title: str
    moment: datetime | str
    notes: tuple[str, ...] = ()
    tag: str = ""
    tone: str = ""
    style: str = ""


def show(trace: MessageTrace, time_zone: str, now: datetime) -> None:
    """Draw the timeline; times are of *time_zone*."""
    st.html(_CSS)
    st.html(render(steps(trace, time_zone, now), trace.message.sent_at, time_zone))


def steps(trace: MessageTrace, time_zone: str, now: datetime) -> list[Step]:
    """Return what happened to the message, in the order it did."""
    message = trace.message
    submitted = Step(
        "Submitted", message.sent_at, (f"Accepted by {message.gateway} as {message.gateway_message_id}.",), tone="way"
    )
    receipts = [_receipt(receipt, message.sent_at, time_zone) for receipt in trace.receipts]
    return [*_before(trace), submitted, *receipts, _end(trace, time_zone, now)]


def _before(trace: MessageTrace) -> Iterator[Step]:
    launched_at, queued_at, source = trace.launched_at, trace.queued_at, trace.message.source
    if queued_at is not None:
        if launched_at is not None:
            yield Step("Campaign launched", launched_at)
        yield Step("Queued", queued_at, (_FROZEN,))
    elif launched_at is not None:
        yield Step("Queued", launched_at, (_LAUNCHED,))
    else:
        reason = _NOT_QUEUED[Source(source)] if source in _NOT_QUEUED else _NO_RECORD
        yield Step("Queued", _UNKNOWN, (reason,), style="open")


def _receipt(came: TracedReceipt, sent_at: datetime, time_zone: str) -> Step:
    receipt = came.receipt
    tag, sentence = _EFFECTS[came.effect]
    arrived = came.received_at - receipt.done_at
    gateway_time = formats.precise(receipt.done_at, time_zone, milliseconds=True)
    reached = f"{delay(arrived)} later" if arrived >= timedelta() else f"{delay(-arrived)} earlier: the clocks differ"
    notes = [sentence, f"Gateway time {gateway_time}, {_since(receipt.done_at - sent_at)}. Reached us {reached}."]
    if receipt.error_code and came.effect is not Effect.REPEATED:
        notes.insert(0, in_words(receipt.error_code, came.meaning))
    if not came.is_known:
        notes.insert(0, _UNKNOWN_WORD)
    return Step(
        f"Receipt {receipt.receipt_state or '(no state)'}",
        came.received_at,
        tuple(notes),
        tag=tag or came.status,
        tone=_TONES[came.status] if came.effect.counts else "",
        style="" if came.effect.counts else "ignored",
    )


def _end(trace: MessageTrace, time_zone: str, now: datetime) -> Step:
    message = trace.message
    if message.delivery_status is DeliveryStatus.SUBMITTED:
        waiting = f"No final receipt yet, {delay(now - message.sent_at)} after submit."
        return Step("Waiting for a receipt", _NOW, (waiting,), tag=message.delivery_status, tone="way", style="open")
    notes = [] if trace.is_explained else [_NOT_KEPT]
    if message.error_code:
        notes.insert(0, in_words(message.error_code, trace.meaning))
    if message.delivered_at is not None:
        since = formats.precise(message.delivered_at, time_zone)
        notes.insert(0, f"Since {since}, gateway time; DLR Time {delay(message.delivered_at - message.sent_at)}.")
    return Step(f"{message.delivery_status}", _NOW, tuple(notes), tone=_TONES[message.delivery_status])


def in_words(error_code: str, meaning: ErrorMeaning | None) -> str:
    """Return an error code and what it means, as far as that is known."""
    if meaning is None:
        return f"Error code {error_code}: the gateway's own; its meaning is not known."
    usually = "" if meaning.is_certain else "usually "
    return f"Error code {error_code}: {usually}{meaning.inline}{_LASTING[meaning.error_class]}."


def delay(value: timedelta) -> str:
    """Return a span of time, below a second in milliseconds and below an hour to the second."""
    milliseconds = round(value / timedelta(milliseconds=1))
    if milliseconds < 1_000:
        return f"{milliseconds}\u00a0ms"
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    if 1 <= minutes < 60 and seconds:
        return f"{minutes}\u00a0min {seconds}\u00a0s"
    return formats.duration(value.total_seconds())


def _since(value: timedelta) -> str:
    return f"{delay(value)} after submit" if value >= timedelta() else f"{delay(-value)} before submit"


def render(found: Sequence[Step], sent_at: datetime, time_zone: str) -> str:
    """Return the steps as an ordered list of HTML; every word of theirs is escaped."""
    close = _close(found)
    items, day = [], ""
    for number, step in enumerate(found):
        if isinstance(step.moment, str):
            items.append(_item(step, f'<div class="when"><span>{escape(step.moment)}</span></div>'))
            continue
        today = f"{formats.in_zone(step.moment, time_zone):%d/%m/%Y}"
        shown = "" if today == day else today
        items.append(_item(step, _when(step.moment, sent_at, time_zone, milliseconds=number in close, day=shown)))
        day = today
    return f'<ol class="timeline">{"".join(items)}</ol>'


def _close(found: Sequence[Step]) -> set[int]:
    """Return the positions of the steps less than a second apart: they are told with milliseconds."""
    known = [(number, step.moment) for number, step in enumerate(found) if isinstance(step.moment, datetime)]
    near = [{first, second} for (first, one), (second, other) in pairwise(known) if abs(other - one) < _SECOND]
    return set().union(*near)


def _when(moment: datetime, sent_at: datetime, time_zone: str, *, milliseconds: bool, day: str) -> str:
    clock = formats.precise(moment, time_zone, milliseconds=milliseconds)
    below = [day] if day else []
    if moment > sent_at:
        below.append(f"+{delay(moment - sent_at)}")
    spans = "".join(f"<span>{escape(text)}</span>" for text in below)
    return f'<div class="when"><time datetime="{moment.isoformat()}">{clock}</time>{spans}</div>'


def _item(step: Step, when: str) -> str:
    tag = f'<span class="tag">{escape(step.tag)}</span>' if step.tag else ""
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in step.notes)
    title = f'<p class="title"><span>{escape(step.title)}</span>{tag}</p>'
    classes = " ".join(name for name in (step.tone, step.style) if name)
    return f'<li class="{classes}">{when}<div class="mark"></div><div class="what">{title}{notes}</div></li>'
