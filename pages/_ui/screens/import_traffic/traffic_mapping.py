"""The panel that says how a CDR file is read: which column is what, and how the first rows are understood."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar
from zoneinfo import available_timezones

import streamlit as st

from core.domain.imports.cdr import CdrField, CdrMapping, DateFormat, PriceUnit, TrafficImport
from core.domain.imports.cdr_guessing import status_key
from core.domain.imports.cdr_prices import CURRENCIES, EUR, parse_rate
from core.domain.imports.cdr_remarks import say_remarks
from core.domain.messages.messages import DeliveryStatus
from core.services.traffic.traffic_previews import TrafficPreview
from pages._ui import formats, session, widgets

T = TypeVar("T")

KEY = "import_traffic"
ABSENT = "– not in the file –"
ROWS_SHOWN = 10
REASONS_SHOWN = 5
# A price may be in another currency than the EUR it becomes.
_UNITS = {PriceUnit.EUR_CENTS: "EUR cents, or hundredths", PriceUnit.EUR: "EUR, or whole units"}


def panel(import_id: str) -> None:
    """Draw the panel for an import that is To Map."""
    app, viewer = session.current()
    with widgets.show_errors() as outcome:
        item = app.traffic.get(viewer, import_id)
    if outcome.ok:

        @st.dialog(formats.plain(item.file_name), position="right", width=900, on_dismiss=widgets.close_panel)
        def dialog() -> None:
            _map(import_id)

        dialog()


def _map(import_id: str) -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        item = app.traffic.get(viewer, import_id)
        proposal = app.traffic.propose(viewer, import_id)
        st.markdown("Which column is which? Heliograph has filled in what the names suggest.")
        mapping = _choose(item, proposal.mapping)
        preview, ready = None, False
        with widgets.show_errors():
            preview = app.traffic.preview(viewer, import_id, mapping)
        if preview is not None:
            if words := tuple(dict.fromkeys([*_asked(import_id), *map(status_key, preview.unknown_words)])):
                mapping = _ask_words(import_id, words, mapping)
                preview = app.traffic.preview(viewer, import_id, mapping)
            ready = preview.table.num_rows > 0
            if CdrField.PRICE in mapping.columns:
                with widgets.show_errors() as outcome:
                    mapping = _ask_rates(import_id, preview.currencies, mapping)
                    preview = app.traffic.preview(viewer, import_id, mapping)
                ready = ready and outcome.ok and not preview.unrated
            _show(preview, mapping, viewer.time_zone)
        _decide(item, mapping, ready=ready)


def _choose(item: TrafficImport, proposed: CdrMapping) -> CdrMapping:
    """Draw the choices and return the mapping they make."""
    key = f"{KEY}_{item.import_id}"
    columns: dict[CdrField, str] = {}
    with st.grid(3, min_column_width=190):
        for field in CdrField:
            label = f"{field} *" if field.is_needed else str(field)
            options = [ABSENT, *item.columns]
            chosen = proposed.columns.get(field, ABSENT)
            column = st.selectbox(
                label,
                options,
                index=options.index(chosen) if chosen in options else 0,
                # Names are the provider's, and no markup.
                key=f"{key}_{field.name}",
            )
            if column != ABSENT:
                columns[field] = column
    with st.grid(3, min_column_width=190):
        date_format = _select("Date format *", list(DateFormat), proposed.date_format, f"{key}_format")
        time_zone = _select(
            "Time zone of the file",
            sorted(available_timezones()),
            proposed.time_zone,
            f"{key}_zone",
            help="For times that do not state their own, as epochs and times with an offset do.",
        )
        unit = proposed.price_unit
        if CdrField.PRICE in columns:
            unit = _select(
                "Price is in *",
                list(PriceUnit),
                proposed.price_unit,
                f"{key}_unit",
                help="The unit of the prices. For currencies other than EUR: their hundredths, or their whole units.",
                labels=_UNITS,
            )
    return replace(
        proposed, columns=columns, date_format=date_format, time_zone=time_zone or proposed.time_zone, price_unit=unit
    )


def _select(
    label: str,
    options: list[T],
    chosen: T | None,
    key: str,
    help: str = "",  # noqa: A002
    labels: Mapping[T, str] = MappingProxyType({}),
) -> T | None:
    index = options.index(chosen) if chosen in options else None
    return st.selectbox(
        label,
        options,
        index=index,
        format_func=lambda option: labels.get(option, str(option)),
        placeholder="Choose",
        key=key,
        help=help or None,
    )


def _asked(import_id: str) -> tuple[str, ...]:
    """Return the words that were asked before: chosen ones are not unknown any more, but still shown."""
    return st.session_state.get(f"{KEY}_{import_id}_words", ())


def _ask_words(import_id: str, words: tuple[str, ...], mapping: CdrMapping) -> CdrMapping:
    st.session_state[f"{KEY}_{import_id}_words"] = words
    st.markdown("**What do these words mean?** Rows with a word left unexplained are rejected.")
    chosen: Mapping[str, DeliveryStatus | None]
    with st.grid(3, min_column_width=190):
        chosen = {
            word: _select(
                formats.plain(word), list(DeliveryStatus), mapping.statuses.get(word), f"{KEY}_{import_id}_word_{word}"
            )
            for word in words
        }
    return replace(mapping, statuses={**mapping.statuses, **{w: status for w, status in chosen.items() if status}})


def _ask_rates(import_id: str, found: tuple[str, ...], mapping: CdrMapping) -> CdrMapping:
    """Draw a rate for each currency of the prices. Raises: InvalidInput: one of them is none."""
    key = f"{KEY}_{import_id}"
    wanted = tuple(dict.fromkeys([*found, *mapping.rates]))
    if wanted or CdrField.CURRENCY in mapping.columns:
        others = [code for code in CURRENCIES if code not in {EUR, *wanted}]
        more = st.multiselect(
            "Other currencies later in the file",
            others,
            key=f"{key}_currencies",
            placeholder="None",
            help="Only the beginning of the file was checked. A price in a currency without a rate stops the import.",
        )
        wanted = (*wanted, *more)
    if not wanted:
        return mapping
    st.markdown(
        f"**What are {', '.join(wanted)} in EUR?** The history is kept in EUR. A rate applies to every row of the file."
    )
    written: dict[str, str] = {}
    with st.grid(3, min_column_width=190):
        for currency in wanted:
            known = mapping.rates.get(currency)
            written[currency] = st.text_input(
                f"1 {currency} in EUR *" if currency in found else f"1 {currency} in EUR",
                value="" if known is None else f"{known:f}",
                placeholder="such as 0.92",
                key=f"{key}_rate_{currency}",
            )
    rates: dict[str, Decimal] = {
        currency: parse_rate(text, currency) for currency, text in written.items() if text.strip()
    }
    return replace(mapping, rates=rates)


def _show(preview: TrafficPreview, mapping: CdrMapping, time_zone: str) -> None:
    if preview.unrated:
        st.warning(
            f"**Prices in {', '.join(preview.unrated)} need a rate.** The import cannot start without it.",
            icon=":material/currency_exchange:",
        )
    st.markdown("**The first rows as they will be imported**")
    if preview.table.num_rows:
        times = {
            name: st.column_config.DatetimeColumn(name, format="DD/MM/YYYY HH:mm:ss", timezone=time_zone)
            for name in ("Sent Date", "Delivery Date")
        }
        st.dataframe(
            preview.table.slice(0, ROWS_SHOWN),
            hide_index=True,
            height="content",
            column_config=times,
            placeholder=formats.NOTHING,
            key=f"{KEY}_preview",
            alt="First rows as they will be imported",
        )
        st.caption(f"Times are shown in your time zone, {time_zone}.")
    if preview.refused:
        rows = f"{formats.number(len(preview.refused))} of the first {_rows(preview)}"
        reasons = "".join(f"\n- {line}" for line in _reasons(preview)[:REASONS_SHOWN])
        st.warning(f"**{rows} would be rejected.**{reasons}", icon=":material/rule:")
    if preview.doubtful_ids:
        column = formats.plain(mapping.columns.get(CdrField.MESSAGE_ID, ""))
        st.warning(
            f"**{column} is not a Message ID** in some of the first rows: one value, such as "
            f"{formats.plain(preview.doubtful_ids[0])}, has several sent dates. These rows are told apart by sent "
            "date, receiver and sender instead. If another column has the provider's IDs, choose that one.",
            icon=":material/fingerprint:",
        )
    if lines := say_remarks(preview.remarks):
        st.info(
            f"**Kept, but without the cells that cannot be read** (of the first {_rows(preview)}):"
            + "".join(f"\n- {line}" for line in lines),
            icon=":material/edit_note:",
        )


def _rows(preview: TrafficPreview) -> str:
    return formats.count(preview.row_count, "row", "rows")


def _reasons(preview: TrafficPreview) -> list[str]:
    """Return each reason once, with the first of its rows and how many more there are."""
    rows: dict[str, list[int]] = {}
    for row_no, reason in preview.refused:
        rows.setdefault(reason, []).append(row_no)
    return [f"Row {_first_of(numbers)}: {formats.plain(reason)}" for reason, numbers in rows.items()]


def _first_of(numbers: list[int]) -> str:
    """Return the first of some rows, and how many more there are: "3", "3 and 2 more rows"."""
    first, rest = numbers[0], len(numbers) - 1
    return f"{first} and {formats.count(rest, 'more row', 'more rows')}" if rest else f"{first}"


def _decide(item: TrafficImport, mapping: CdrMapping, *, ready: bool) -> None:
    app, viewer = session.current()
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        widgets.why_not("" if ready else "Fix the problems above first.")
        discard = st.button("Discard", key=f"{KEY}_discard", icon=":material/delete:")
        begin = st.button("Import", type="primary", key=f"{KEY}_begin", icon=":material/upload:", disabled=not ready)
    with widgets.show_errors() as outcome:
        if begin:
            app.traffic.begin(viewer, item.import_id, mapping)
            widgets.flash(f"{item.file_name} is being imported.", icon=":material/upload:")
        elif discard:
            app.traffic.delete(viewer, item.import_id)
            widgets.flash(f"{item.file_name} was discarded.")
    if outcome.ok and (begin or discard):
        widgets.close_panel()
        st.rerun()
