"""The fields of a gateway's panel, drawn from what its kind asks for."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.domain.gateways.forms import LONG_TEXT_MAX, TEXT_MAX, Field, FieldKind, Value
from core.domain.gateways.gateways import GatewaySetup
from core.gateways.kinds import GatewayKind
from core.services.accounts.setting_up_gateways import GatewayForm
from pages._ui.panels import limit_fields

KEY = "gateways"
_TRIES = f"{KEY}_tries"
_LIMIT = "Rate limit and recovery"
_RATE = (
    "The limit for all accounts that send by it together, such as your provider allows. It applies to running "
    "campaigns immediately."
)


def draw(kind: GatewayKind, before: GatewaySetup, key: str) -> GatewayForm:
    """Draw all fields, those of each section together, as the gateway was *before*; return what is filled in."""
    values, forgotten = dict[str, Value](), set[str]()
    for section in dict.fromkeys(each.section for each in kind.form):
        fields = [each for each in kind.form if each.section == section]
        if not section:
            _draw_fields(fields, before, key, values, forgotten)
            continue
        with st.expander(section):
            _draw_fields(fields, before, key, values, forgotten)
    with st.expander(_LIMIT):
        rate_tps = limit_fields.rate("Segments per second", before.rate_tps, key=f"{key}_rate", explained=_RATE)
        resumes = _draw_recovery(before, key)
    return GatewayForm(values, rate_tps, resumes, frozenset(forgotten))


def empty_secrets() -> None:
    """Let the next run draw new fields for secrets, and empty ones: nothing of them stays in browser or session."""
    st.session_state[_TRIES] = st.session_state.get(_TRIES, 0) + 1


def _draw_fields(
    fields: Sequence[Field], before: GatewaySetup, key: str, values: dict[str, Value], forgotten: set[str]
) -> None:
    for pair in _in_pairs(fields):
        # Two side by side: so what everybody fills in, and the buttons below it, stand in sight on most screens.
        places = st.columns(2, vertical_alignment="bottom") if len(pair) > 1 else [st.container()]
        for each, place in zip(pair, places, strict=True):
            with place:
                _draw_one(each, before, key, values, forgotten)


def _in_pairs(fields: Sequence[Field]) -> list[list[Field]]:
    """Return the fields in the rows they stand in: two short ones, or one that has several lines."""
    rows = list[list[Field]]()
    for each in fields:
        is_long = each.kind is FieldKind.LONG_TEXT
        if rows and len(rows[-1]) == 1 and not is_long and rows[-1][0].kind is not FieldKind.LONG_TEXT:
            rows[-1].append(each)
        else:
            rows.append([each])
    return rows


def _draw_one(each: Field, before: GatewaySetup, key: str, values: dict[str, Value], forgotten: set[str]) -> None:
    if each.kind is not FieldKind.SECRET:
        values[each.name] = _draw_field(each, before.settings, f"{key}_{each.name}")
        return
    is_set = each.name in before.secrets_set
    values[each.name] = _draw_secret(each, before, key)
    if is_set and not each.required and st.checkbox(f"Delete {each.label}", key=f"{key}_{each.name}_forget"):
        forgotten.add(each.name)


def _draw_secret(each: Field, before: GatewaySetup, key: str) -> str:
    number = st.session_state.setdefault(_TRIES, 0)
    placeholder = "Set. Leave it empty to keep it." if each.name in before.secrets_set else None
    return st.text_input(
        _label(each),
        max_chars=TEXT_MAX,
        type="password",
        key=f"{key}_{each.name}_{number}",
        autocomplete="new-password",
        placeholder=placeholder,
        help=f"{each.help} Encrypted and never shown again.".strip(),
    )


def _draw_field(each: Field, settings: Mapping[str, Value], key: str) -> Value:
    label, value, explained = _label(each), settings.get(each.name, each.default), each.help or None
    if each.kind is FieldKind.SWITCH:
        return st.toggle(label, bool(value), key=key, help=explained)
    if each.kind is FieldKind.NUMBER:
        start = int(value) if value != "" else None
        number = st.number_input(label, each.least, each.most, start, step=1, key=key, help=explained)
        return "" if number is None else number
    if each.kind is FieldKind.CHOICE:
        choices = list(each.choices)
        index = choices.index(str(value)) if value in each.choices else 0
        return st.selectbox(label, choices, index, format_func=each.choices.__getitem__, key=key, help=explained)
    if each.kind is FieldKind.LONG_TEXT:
        return st.text_area(label, str(value), max_chars=LONG_TEXT_MAX, key=key, help=explained)
    return st.text_input(label, str(value), max_chars=TEXT_MAX, key=key, help=explained, autocomplete="off")


def _label(each: Field) -> str:
    return f"{each.label} (optional)" if each.may_be_empty else each.label


def _draw_recovery(before: GatewaySetup, key: str) -> bool:
    return st.checkbox(
        "Resume campaigns when it works again",
        before.resumes,
        key=f"{key}_resumes",
        help="Campaigns that were paused because the gateway failed continue by themselves.",
    )
