"""The price lists of an account, in the panel of the Traffic Accounts page: which there are, and importing one."""

from collections.abc import Sequence
from datetime import UTC, date, timedelta

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.domain.accounts.accounts import Account
from core.domain.accounts.price_lists import PriceFault, PriceList
from core.domain.accounts.pricing import ALWAYS, Price
from core.domain.imports.cdr import PriceUnit
from core.domain.numbering import country_name
from core.services.accounts.pricing_accounts import PriceUpload
from pages._ui import formats, session, widgets
from pages._ui.open_pages import open_pages

KEY = "traffic_accounts"
SHOWN = 10
FAULTS_SHOWN = 50
# Nobody agrees prices further ahead than this; a slip in the year is caught.
AHEAD = timedelta(days=3 * 366)
_UNITS = {"As in the header": None, **{unit.value: unit for unit in PriceUnit}}


def show(item: Account) -> None:
    """Draw the account's lists, and the import of another one."""
    app, viewer = session.current()
    found = app.accounts.pricing.list_lists(viewer, item.account_id, session.now())
    if found:
        _lists(item, found)
    else:
        st.markdown("No price list yet: messages cost nothing.")
    st.subheader("Import a price list", anchor=False)
    st.caption("A CSV file with the columns Country or MCCMNC, or both, and Price [EUR] or Price [EUR c] per segment.")
    _import(item, found)


def _lists(item: Account, found: Sequence[PriceList]) -> None:
    app, viewer = session.current()
    current = next((index for index, each in enumerate(found) if each.is_current), 0)
    key = f"{KEY}_{item.account_id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Price lists", found, current, format_func=_in_words, key=f"{key}_list")
        st.download_button(
            "Download",
            app.accounts.pricing.download(viewer, item.account_id, chosen.valid_from),
            f"{item.name} prices {chosen.valid_from}.csv",
            "text/csv",
            key=f"{key}_download",
            on_click="ignore",
            icon=":material/download:",
        )
    prices = app.accounts.pricing.get_prices(viewer, item.account_id, chosen.valid_from)
    _table(prices, f"{key}_prices", "Prices of the list")


def _in_words(item: PriceList) -> str:
    when = "From the beginning" if item.valid_from == ALWAYS else f"From {item.valid_from:%d/%m/%Y}"
    prices = formats.count(item.price_count, "price", "prices")
    return f"{when}, {prices}{' – in effect today' if item.is_current else ''}"


def _import(item: Account, found: Sequence[PriceList]) -> None:
    # A new uploader after each import: there is no other way to empty one.
    number = st.session_state.setdefault(f"{KEY}_upload_number", 0)
    today = session.now().astimezone(UTC).date()
    with st.container(horizontal=True):
        day = st.date_input(
            "Valid from",
            today,
            min_value=today,
            max_value=today + AHEAD,
            format="DD/MM/YYYY",
            key=f"{KEY}_prices_day",
            help="A day in UTC. Messages sent from then on are priced by this list, until the next one applies.",
        )
        unit = st.selectbox("Prices are in", list(_UNITS), key=f"{KEY}_prices_unit")
    file = st.file_uploader("Price list", type=["csv", "txt"], key=f"{KEY}_prices_{number}", max_upload_size=1)
    if file is not None:
        same = next((each for each in found if each.valid_from == day), None)
        with widgets.show_errors():
            _preview(item, file, _UNITS[unit], day, same)


def _preview(item: Account, file: UploadedFile, unit: PriceUnit | None, day: date, same: PriceList | None) -> None:
    app, viewer = session.current()
    found = app.accounts.pricing.preview(viewer, item.account_id, file, unit)
    if found.faults:
        _faults(found.faults)
        return
    lowest, highest = (formats.cents(each(price.price_eur_cents for price in found.prices)) for each in (min, max))
    prices = formats.count(len(found.prices), "price", "prices")
    st.markdown(f"**{prices}** from {lowest} to {highest} EUR cents per segment; the file is in {found.unit}.")
    _table(found.prices, f"{KEY}_prices_preview", "Prices in the file")
    replaces = same is not None and st.checkbox(
        f"Replace the list for {day:%d/%m/%Y} ({formats.count(same.price_count, 'price', 'prices')})",
        key=f"{KEY}_prices_replace",
    )
    waits = same is not None and not replaces
    widgets.why_not(f"There is already a list for {day:%d/%m/%Y}: replace it, or choose another day." if waits else "")
    if st.button("Import", type="primary", disabled=waits, key=f"{KEY}_prices_import"):
        file.seek(0)
        app.accounts.pricing.import_list(viewer, item.account_id, PriceUpload(day, unit, replaces), file, session.now())
        open_pages.done_with(file)
        st.session_state[f"{KEY}_upload_number"] += 1
        widgets.flash(f"{prices} of {item.display_name} will apply from {day:%d/%m/%Y}.")
        st.rerun()


def _faults(faults: Sequence[PriceFault]) -> None:
    rows = formats.count(len(faults), "row", "rows")
    widgets.fault(f"{rows} cannot be used.", "Nothing is imported until every row is right.")
    shown = [{"Row": fault.row_no, "Problem": fault.problem, "Cell": fault.text} for fault in faults[:FAULTS_SHOWN]]
    st.dataframe(pd.DataFrame(shown), hide_index=True, height="content", key=f"{KEY}_prices_faults", alt="Faults")
    if len(faults) > FAULTS_SHOWN:
        st.caption(f"The first {FAULTS_SHOWN} of them.")


def _table(prices: Sequence[Price], key: str, alt: str) -> None:
    rows = [
        {
            "Country": country_name(price.country) or "Everywhere else",
            "MCCMNC": price.mccmnc or "All",
            "Price [EUR c]": formats.cents(price.price_eur_cents),
        }
        for price in prices[:SHOWN]
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content", key=key, alt=alt)
    if len(prices) > SHOWN:
        st.caption(f"The first {SHOWN} of {formats.number(len(prices))}.")
