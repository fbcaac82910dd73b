"""
Numbers of a workbook as its sheet shows them: 1067 as "01067", 0.15 as "15%", 0.5 as "12:00".

Only what can be told for sure is done. A format with conditions, fractions or exponents, and one whose look hangs on
the reader's own country, is left alone.
Source: ECMA-376 part 1, section 18.8.30 (numFmt) and 18.8.31 (numFmts).
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

GENERAL = "General"
# The formats every workbook has without naming them. 14 and 22 are the short date of the reader's country: not here.
BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    14: "yyyy-mm-dd",
    22: "yyyy-mm-dd hh:mm",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    49: "@",
}

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)|\[(?P<elapsed>h+|m+|s+)\]'
    r"|\[\$(?P<currency>[^\]-]*)[^\]]*\]|\[(?P<other>[^\]]*)\]|(?P<noon>AM/PM|A/P)|(?P<fraction>\.0+(?=[^0#?]|$))"
    # An E with a sign is an exponent, one without is a year.
    r"|(?P<sign>[@/]|E[+-])|(?P<date>y+|m+|d+|h+|s+|e+)|(?P<digit>[0#?]+)|(?P<point>\.)|(?P<comma>,+)|(?P<percent>%)"
    r"|(?P<literal>.)",
    re.IGNORECASE | re.DOTALL,
)
_COLORS = re.compile(r"black|blue|cyan|green|magenta|red|white|yellow|color ?\d+", re.IGNORECASE)
_MAX_DECIMALS = 30
_DAY_S = 86_400
# Excel's calendar ends with the year 9999.
_MAX_DAYS = 2_958_466


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


@dataclass(frozen=True)
class _Section:
    tokens: tuple[_Token, ...]
    is_date: bool


def general(value: float) -> str:
    """Return *value* without any format: the 15 digits Excel keeps, never an exponent."""
    return _plain(Decimal(f"{value:.15g}"))


def render(value: float, code: str, *, since_1904: bool = False, groups: bool = True) -> str | None:
    """
    Return *value* as a sheet shows it in the format *code*; None when that cannot be told.

    Args:
        value: As the workbook has it: days since 1900 (or 1904) when the format is one of dates.
        code: The format, as in the workbook.
        since_1904: The workbook counts days as the Macintosh did.
        groups: Write the format's thousands signs; without them for what is no amount.
    """
    sections = _sections(code)
    if sections is None:
        return None
    shown = Decimal(f"{value:.15g}")
    index = 0
    if len(sections) > 1 and shown < 0:
        index, shown = 1, -shown
    elif len(sections) > 2 and not shown:
        index = 2
    section = sections[index]
    if section.is_date:
        return _render_moment(float(shown), section, since_1904=since_1904)
    return _render_number(shown, section, groups=groups)


@lru_cache(maxsize=256)
def _sections(code: str) -> tuple[_Section, ...] | None:
    """Return the format's sections: for positive, negative, zero; None when it holds what is not understood."""
    found: list[list[_Token]] = [[]]
    for match in _TOKEN.finditer(code):
        kind = match.lastgroup or "literal"
        text = match[kind]
        if kind == "literal" and text == ";":
            found.append([])
        elif (kind == "other" and not _COLORS.fullmatch(text)) or (kind == "sign" and text != "@"):
            if kind == "sign" and text == "/" and any(token.kind == "date" for token in found[-1]):
                found[-1].append(_Token("literal", text))
                continue
            return None
        elif kind not in {"other", "fill"}:
            found[-1].append(_Token(kind, " " if kind == "space" else text))
    if code.strip().lower() == GENERAL.lower() or any(_is_general(section) for section in found):
        return None
    return tuple(_section(tokens) for tokens in found[:3])


def _is_general(tokens: list[_Token]) -> bool:
    return "general" in "".join(token.text for token in tokens).lower()


def _section(tokens: list[_Token]) -> _Section:
    is_date = any(token.kind in {"date", "elapsed", "noon"} for token in tokens)
    # A ".000" without a time before it are decimals, not parts of a second.
    kept: list[_Token] = []
    for token in tokens:
        if token.kind == "fraction" and not is_date:
            kept += [_Token("point", "."), _Token("digit", token.text[1:])]
        else:
            kept.append(token)
    return _Section(tuple(kept), is_date)


def _render_number(value: Decimal, section: _Section, *, groups: bool) -> str | None:
    tokens = section.tokens
    places = [index for index, token in enumerate(tokens) if token.kind == "digit"]
    if not places:
        return None if any(token.kind == "sign" for token in tokens) else "".join(map(_literal, tokens)).strip()
    point = next((index for index, token in enumerate(tokens) if token.kind == "point"), len(tokens))
    behind = "".join(tokens[index].text for index in places if index > point)
    commas = [index for index, token in enumerate(tokens) if token.kind == "comma"]
    last = max([index for index in places if index < point], default=-1)
    scale = sum(len(tokens[index].text) for index in commas if last < index <= point or index > places[-1])
    is_grouped = groups and any(index < last for index in commas)
    percents = sum(token.kind == "percent" for token in tokens)
    if len(behind) > _MAX_DECIMALS:
        return None
    shown = abs(value) * (100**percents) / (Decimal(1000) ** scale)
    rounded = shown.quantize(Decimal(1).scaleb(-len(behind)), ROUND_HALF_UP)
    whole, _, decimals = _plain(rounded, len(behind)).partition(".")
    texts = {**_whole_digits(whole, tokens, point, is_grouped=is_grouped), **_decimals(decimals, tokens, point)}
    body = "".join(
        texts.get(index, "" if token.kind == "comma" else _literal(token)) for index, token in enumerate(tokens)
    )
    return ("-" if value < 0 and rounded else "") + body.strip()


def _whole_digits(whole: str, tokens: tuple[_Token, ...], point: int, *, is_grouped: bool) -> dict[int, str]:
    """Return what stands at each place before the point; the first place takes the digits that are left."""
    places = [index for index in range(min(point, len(tokens))) if tokens[index].kind == "digit"]
    if not places:
        return {}
    digits = "" if whole == "0" else whole
    zeros = sum(len(tokens[index].text.replace("#", "").replace("?", "")) for index in places)
    digits = digits.rjust(zeros, "0")
    if is_grouped:
        return {places[0]: _grouped(digits)} | dict.fromkeys(places[1:], "")
    found = {}
    for index in reversed(places[1:]):
        size = len(tokens[index].text)
        found[index], digits = digits[-size:] if digits else "", digits[:-size]
    found[places[0]] = digits
    return found


def _grouped(digits: str) -> str:
    first = len(digits) % 3 or 3
    return (
        ",".join([digits[:first], *(digits[index : index + 3] for index in range(first, len(digits), 3))])
        if digits
        else ""
    )


def _decimals(decimals: str, tokens: tuple[_Token, ...], point: int) -> dict[int, str]:
    found, at = {}, 0
    for index in range(point + 1, len(tokens)):
        if tokens[index].kind == "digit":
            size = len(tokens[index].text)
            found[index] = _optional(decimals[at : at + size], tokens[index].text, decimals[at + size :])
            at += size
    return found


def _optional(digits: str, places: str, rest: str) -> str:
    """Return *digits* without the zeros at their end that the format does not ask for."""
    while digits and digits[-1] == "0" and places[len(digits) - 1] != "0" and not rest.strip("0"):
        digits = digits[:-1]
    return digits


def _literal(token: _Token) -> str:
    return "" if token.kind == "sign" else token.text


def _plain(value: Decimal, decimals: int | None = None) -> str:
    text = f"{value:f}" if decimals is None else f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if decimals is None and "." in text else text
    return "0" if text == "-0" else text


def _render_moment(days: float, section: _Section, *, since_1904: bool) -> str | None:
    has_elapsed = any(token.kind == "elapsed" for token in section.tokens)
    if not 0 <= days < _MAX_DAYS:
        return None
    fractions = max((len(token.text) - 1 for token in section.tokens if token.kind == "fraction"), default=0)
    step = 10**-fractions
    seconds = round(days * _DAY_S / step) * step
    # Excel takes 1900 for a leap year: days before its 29 February that never was are one later.
    base = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30 + (days < 60))  # noqa: DTZ001 - a sheet knows no zone
    if has_elapsed:
        base = datetime(1900, 1, 1)  # noqa: DTZ001 - of spans only the time of day is asked
    moment = base + timedelta(seconds=seconds)
    halves = any(token.kind == "noon" for token in section.tokens)
    texts, before = [], ""
    for index, token in enumerate(section.tokens):
        if token.kind == "elapsed":
            unit = {"h": 3_600, "m": 60, "s": 1}[token.text[0].lower()]
            texts.append(str(int(seconds + step / 2) // unit).zfill(len(token.text)))
            before = token.text[0].lower()
        elif token.kind == "date":
            letter = token.text[0].lower()
            is_minute = letter == "m" and len(token.text) < 3 and (before == "h" or _next_date(section, index) == "s")
            texts.append(_part(moment, "n" if is_minute else letter, len(token.text), halves=halves))
            before = letter
        elif token.kind == "noon":
            texts.append(f"{moment:%p}"[: 2 if len(token.text) > 3 else 1])
        elif token.kind == "fraction":
            texts.append(f"{seconds % 1:.{len(token.text) - 1}f}"[1:])
        else:
            texts.append(_literal(token))
    return "".join(texts).strip()


def _next_date(section: _Section, index: int) -> str:
    found = (token.text[0].lower() for token in section.tokens[index + 1 :] if token.kind in {"date", "elapsed"})
    return next(found, "")


def _part(moment: datetime, letter: str, size: int, *, halves: bool) -> str:
    """Return a part of *moment*: year, month, day, hour, mi*n*ute or second, as many letters as it is written with."""
    if letter in "ye":
        return f"{moment.year:04}" if size > 2 or letter == "e" else f"{moment.year % 100:02}"
    if letter in "md" and size > 2:
        short, full = (
            f"{moment:%b}" if letter == "m" else f"{moment:%a}",
            f"{moment:%B}" if letter == "m" else f"{moment:%A}",
        )
        return {3: short, 5: full[:1]}.get(size, full)
    hour = (moment.hour % 12 or 12) if halves else moment.hour
    number = {"m": moment.month, "d": moment.day, "h": hour, "n": moment.minute, "s": moment.second}[letter]
    return str(number).zfill(min(size, 2))
