"""
Recipients: every row of a campaign's lists, judged, measured and priced.

A launch freezes them and a preflight counts them, by the same statement: what is billed is what was announced. Texts
are not put together to be measured. Encoding, septets and code units of a text are those of its parts, and the parts
that differ are short; only where pairs come near the end of a segment does the text itself have to be packed.
"""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.domain.accounts.pricing import Price
from core.domain.messages.messages import Exclusion
from core.domain.texts.encoding import GSM7_EXTENSION, Encoding, choose_encoding
from core.domain.texts.no_values import MOST_CHARACTERS, NO_VALUES
from core.domain.texts.placeholders import BLANKS, Literal, Part, Placeholder
from core.domain.texts.segments import CAPACITIES, MAX_SEGMENTS
from core.domain.texts.simplifying import simplify
from core.domain.words.control_characters import Prose
from core.errors import InvalidInput
from core.history.catalog.location import quote
from core.history.engine.door import Cursor
from core.history.sql import text_measure
from core.history.sql.statements import load_statements

_SQL = load_statements("audience/recipients.sql")

_PRICE_SCHEMA = pa.schema(
    [("country", pa.string()), ("mccmnc", pa.string()), ("price_eur_cents", pa.decimal128(12, 4))]
)
_BLANKS = " || ".join(f"chr({ord(character)})" for character in BLANKS)
_NO_VALUES = ", ".join(map(quote, sorted(NO_VALUES)))
_GSM7, _UCS2 = CAPACITIES[Encoding.GSM7], CAPACITIES[Encoding.UCS2]


@dataclass(frozen=True)
class ListPart:
    """A list that is sent to. *columns* maps each placeholder to a 0-based position in its contacts' fields."""

    list_id: str
    columns: Mapping[str, int]


def _no_numbers() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class SuppressedRecipients:
    """
    Those of the recipients that are suppressed: for the account, and for all accounts; by the digits of their numbers.

    Two are equal, and read alike, that hold the same numbers: only the *digest* is compared and shown.
    """

    by_account: NDArray[np.int64] = field(default_factory=_no_numbers, compare=False, repr=False)
    everywhere: NDArray[np.int64] = field(default_factory=_no_numbers, compare=False, repr=False)
    digest: str = ""

    @classmethod
    def of(cls, by_account: NDArray[np.int64], everywhere: NDArray[np.int64]) -> Self:
        """Return these, each ascending."""
        if not len(by_account) and not len(everywhere):
            return cls()
        digest = hashlib.sha256(by_account.tobytes() + b"/" + everywhere.tobytes()).hexdigest()
        return cls(by_account, everywhere, digest)

    def table(self) -> pa.Table:
        """Return them as a table: number (int64), is_everywhere (bool)."""
        whose = np.repeat([False, True], [len(self.by_account), len(self.everywhere)])
        numbers = np.concatenate([self.by_account, self.everywhere])
        return pa.table({"number": pa.array(numbers), "is_everywhere": pa.array(whose)})


@dataclass(frozen=True)
class RecipientSpec:
    """
    Who is sent what.

    *lists* in their order, but for the numbers of the lists *left_out_ids* and those *suppressed*. *parts* is the
    message; *fallbacks* stand for empty cells. *prices* are per segment, the most specific one counts.
    """

    lists: tuple[ListPart, ...]
    parts: tuple[Part, ...]
    prices: tuple[Price, ...]
    fallbacks: Mapping[str, str]
    left_out_ids: tuple[str, ...] = ()
    suppressed: SuppressedRecipients = SuppressedRecipients()
    simplifies: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The placeholders that stand in the message, each once, as they come."""
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Placeholder)))


def judge(cursor: Cursor, spec: RecipientSpec, target: str, *, with_text: bool) -> None:
    """
    Make the table *target*: one row per row of the lists, in no order.

    Columns: list_no and row_no (where the row is from, list_no from 0), number (BIGINT, the digits of msisdn), msisdn,
    country, network, mccmnc, encoding, segment_count, plain_count (segments if every character outside the GSM
    alphabet were in it), segment_price (of one segment), price_eur_cents (of all), reason ('' for a row that is kept,
    else the first `Exclusion` that applies), empty_<n> (whether the cell of the n-th placeholder of `spec.names` was
    empty), no_value_<n> (what stands in it where that is what programs write for nothing, else NULL), odd_<n> (its
    value where that has a character outside the GSM alphabet, else NULL), and if *with_text* text.

    A row is excluded as a duplicate of an earlier row's number, because it is left out, because it is suppressed, for
    an empty message (nothing but white space), for a message of more than `MAX_SEGMENTS`, or for want of a price: a
    price list that does not know a destination must not make it free. Without any price list every message costs 0.

    Raises: InvalidInput: a placeholder has no column.
    """
    text_measure.install(cursor)
    cursor.register("prices", _price_table(spec.prices))
    cursor.register("suppressed", spec.suppressed.table())
    statement = _Statement(spec)
    cursor.execute(statement.sql(target, with_text=with_text), statement.values)


class _Statement:
    """Puts the statement together; everything a person wrote goes into `values`."""

    def __init__(self, spec: RecipientSpec) -> None:
        self._spec = spec
        self._literals = [
            simplify(part.text) if spec.simplifies else part.text for part in spec.parts if isinstance(part, Literal)
        ]
        self._uses = [sum(part == Placeholder(name) for part in spec.parts) for name in spec.names]
        self.values: dict[str, object] = {
            "most_segments": MAX_SEGMENTS,
            "duplicate": Exclusion.DUPLICATE,
            "left_out": Exclusion.LEFT_OUT,
            "suppressed": Exclusion.SUPPRESSED,
            "suppressed_everywhere": Exclusion.SUPPRESSED_EVERYWHERE,
            "empty_message": Exclusion.EMPTY_MESSAGE,
            "too_long": Exclusion.TOO_LONG,
            "no_price": Exclusion.NO_PRICE,
        }

    def sql(self, target: str, *, with_text: bool) -> str:
        numbers = range(len(self._spec.names))
        text = self._text()
        left_out = self._left_out()
        return _SQL["judge"].format(
            target=target,
            contacts="\nUNION ALL\n".join(self._contacts(number) for number in range(len(self._spec.lists))),
            cells="".join(self._cell(number) for number in numbers),
            values="".join(self._value(number) for number in numbers),
            plains="".join(
                f",\n        regexp_full_match(value_{n}, {text_measure.PLAIN}) AS plain_{n}" for n in numbers
            ),
            odds="".join(_odd(n) + _no_value(n) for n in numbers),
            sizes="".join(map(_sizes, numbers)),
            sums=self._sums(numbers),
            segments=self._segments(text),
            plain_segments=_joined_without_pairs("septets"),
            is_empty=self._is_empty(numbers),
            is_left_out=left_out,
            is_suppressed=_is_suppressed(self._spec.suppressed.by_account, "NOT is_everywhere"),
            is_suppressed_everywhere=_is_suppressed(self._spec.suppressed.everywhere, "is_everywhere"),
            kept="".join(f", empty_{n}, no_value_{n}, odd_{n}" for n in numbers),
            text=f", {text} AS text" if with_text else "",
        )

    def _contacts(self, number: int) -> str:
        part = self._spec.lists[number]
        self.values |= {f"list_{number}": part.list_id}
        cells = ""
        for index, name in enumerate(self._spec.names):
            if name not in part.columns:
                raise InvalidInput(
                    f"The placeholder {{{name}}} has no column.",
                    hint="Map it to a column of the distribution list.",
                    field="placeholders",
                )
            # SQL counts from 1; a row shorter than the header has NULL there. Lists of earlier versions have letters
            # and their accents as they came, in two pieces.
            cells += f", coalesce(nfc_normalize(fields[{part.columns[name] + 1}]), '') AS cell_{index}"
        return _SQL["contacts"].format(number=number, cells=cells)

    def _left_out(self) -> str:
        for number, list_id in enumerate(self._spec.left_out_ids):
            self.values[f"left_out_{number}"] = list_id
        names = ", ".join(f"$left_out_{number}" for number in range(len(self._spec.left_out_ids)))
        return _SQL["is_left_out"].format(list_ids=names) if names else "false"

    def _cell(self, number: int) -> str:
        return f",\n        regexp_full_match(cell_{number}, {text_measure.BLANK}) AS empty_{number}"

    def _value(self, number: int) -> str:
        fallback = self._spec.fallbacks.get(self._spec.names[number], "")
        self.values[f"fallback_{number}"] = Prose(simplify(fallback) if self._spec.simplifies else fallback)
        cell = f"sms_simplify(cell_{number})" if self._spec.simplifies else f"cell_{number}"
        return f",\n        CASE WHEN empty_{number} THEN $fallback_{number}::VARCHAR ELSE {cell} END AS value_{number}"

    def _sums(self, numbers: Sequence[int]) -> str:
        """Return what the whole text measures: of the literals, which are known, and of the values in their places."""
        literal = "".join(self._literals)

        def total(of_literals: int, of_value: str) -> str:
            return " + ".join([str(of_literals), *(f"{self._uses[n]} * {of_value.format(n=n)}" for n in numbers)])

        pairs = sum(character in GSM7_EXTENSION for character in literal)
        astral = sum(ord(character) > 0xFFFF for character in literal)
        gsm7 = [
            "true" if choose_encoding(literal) is Encoding.GSM7 else "false",
            *(f"odd_{n} IS NULL" for n in numbers),
        ]
        return (
            f"{' AND '.join(gsm7)} AS is_gsm7,\n"
            f"        {total(len(literal), 'length(value_{n})')} AS characters,\n"
            f"        {total(len(literal) + pairs, 'septets_{n}')} AS septets,\n"
            f"        {total(len(literal) + astral, 'units_{n}')} AS units"
        )

    def _segments(self, text: str) -> str:
        return (
            f"CASE WHEN is_gsm7 THEN {text_measure.count_joined('septets', 'characters', _GSM7, text)}\n"
            f"        ELSE {text_measure.count_joined('units', 'characters', _UCS2, text)} END"
        )

    def _is_empty(self, numbers: Sequence[int]) -> str:
        if any(_is_visible(literal) for literal in self._literals):
            return "false"
        values = [f"NOT regexp_matches(value_{n}, '[^\\s\\p{{Z}}]')" for n in numbers]
        return " AND ".join(values) or "true"

    def _text(self) -> str:
        terms: list[str] = []
        literals = iter(self._literals)
        for number, part in enumerate(self._spec.parts):
            if isinstance(part, Literal):
                self.values[f"part_{number}"] = Prose(next(literals))
                terms.append(f"$part_{number}::VARCHAR")
            else:
                terms.append(f"value_{self._spec.names.index(part.name)}")
        return " || ".join(terms) or "''"


def _is_suppressed(numbers: NDArray[np.int64], whose: str) -> str:
    return f"number IN (SELECT number FROM suppressed WHERE {whose})" if len(numbers) else "false"


def _odd(number: int) -> str:
    value = f"value_{number}"
    is_odd = f"NOT plain_{number} AND NOT regexp_full_match({value}, {text_measure.GSM7})"
    return f",\n        CASE WHEN {is_odd} THEN {value} END AS odd_{number}"


def _no_value(number: int) -> str:
    # Hardly a cell is as short and has to be looked at further.
    cell = f"cell_{number}"
    is_one = f"length({cell}) <= {2 * MOST_CHARACTERS} AND lower(trim({cell}, {_BLANKS})) IN ({_NO_VALUES})"
    return f",\n        CASE WHEN {is_one} THEN {cell} END AS no_value_{number}"


def _sizes(number: int) -> str:
    value, plain, odd = f"value_{number}", f"plain_{number}", f"odd_{number}"
    # A character outside the alphabet is one septet here. Characters of two code units are all outside it.
    pairs = f"CASE WHEN {plain} THEN 0 ELSE len(regexp_extract_all({value}, {text_measure.EXTENDED})) END"
    astral = f"CASE WHEN {odd} IS NULL THEN 0 ELSE len(regexp_extract_all({value}, {text_measure.ASTRAL})) END"
    return (
        f",\n        length({value}) + {pairs} AS septets_{number}"
        f",\n        length({value}) + {astral} AS units_{number}"
    )


def _joined_without_pairs(units: str) -> str:
    return (
        f"CASE WHEN {units} <= {_GSM7.alone} THEN least({units}, 1) "
        f"ELSE ({units} + {_GSM7.joined - 1}) // {_GSM7.joined} END"
    )


def _is_visible(text: str) -> bool:
    """Whether a character of *text* is neither white space nor a separator, as the statement's pattern has it."""
    return any(unicodedata.category(character)[0] != "Z" and character not in "\t\n\f\r " for character in text)


def _price_table(prices: Sequence[Price]) -> pa.Table:
    columns = [[getattr(price, name) for price in prices] for name in _PRICE_SCHEMA.names]
    return pa.table(columns, schema=_PRICE_SCHEMA)
