"""
Forms: what a kind of gateway asks to be told, field by field.

One description serves the panel that a person fills in, the check of what came of it, and the gateway that reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.words.counting import grouped
from core.errors import Faults, InvalidInput

Value = str | int | bool

# Characters of a text, and of a secret.
TEXT_MAX, LONG_TEXT_MAX = 500, 10_000


class FieldKind(StrEnum):
    """What a field takes."""

    TEXT = "text"
    # Several lines: a certificate, a template.
    LONG_TEXT = "long text"
    # Encrypted, and never shown again.
    SECRET = "secret"  # noqa: S105 - the name of a kind
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"


# In which a person types, or nothing.
_TYPED = frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.SECRET})


@dataclass(frozen=True)
class Field:
    """
    One field. *default* is what counts while nobody says otherwise, and what a field left empty goes back to.

    *least* and *most* bound a number; *choices* maps what is stored to what a person reads. Fields of one *section*
    stand together, "" for those that everybody fills in.
    """

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    default: Value = ""
    required: bool = False
    least: int = 0
    most: int = 1_000_000
    choices: Mapping[str, str] = field(default_factory=dict)
    help: str = ""
    section: str = ""

    @property
    def may_be_empty(self) -> bool:
        """Whether nothing at all may stand in it, and nothing takes its place then."""
        return not self.required and self.default == "" and self.kind in _TYPED


@dataclass(frozen=True)
class Filled:
    """A form filled in: every field but the secrets, and of those, the ones that were given."""

    settings: Mapping[str, Value]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def check_form(form: Sequence[Field], values: Mapping[str, Value], *, kept: frozenset[str] = frozenset()) -> Filled:
    """
    Return what was filled in, checked, defaults where nothing was; of a secret that is *kept*, nothing has to be said.

    Raises: InvalidInput: a field is missing, too long or out of bounds, or there is no such field; with the *field*. Of
        several at once: `InvalidForm`.
    """
    known = {each.name for each in form}
    for name in values:
        if name not in known:
            raise InvalidInput(f"There is no field called {name[:40]!r}.", hint="Reload the page and try again.")
    settings, secrets, faults = dict[str, Value](), dict[str, str](), Faults()
    for each in form:
        with faults.gather():
            value = _check(each, values.get(each.name, ""))
            if each.kind is not FieldKind.SECRET:
                settings[each.name] = value
            elif value:
                secrets[each.name] = str(value)
            elif each.required and each.name not in kept:
                raise _missing(each)
    faults.check()
    return Filled(settings, secrets)


def _check(each: Field, value: Value) -> Value:
    if each.kind is FieldKind.SWITCH:
        return each.default if value == "" else bool(value)
    if each.kind is FieldKind.NUMBER:
        return _check_number(each, value)
    text = str(value).strip()
    if each.kind is FieldKind.CHOICE:
        return _check_choice(each, text)
    if not text:
        if each.required and each.kind is not FieldKind.SECRET:
            raise _missing(each)
        return each.default
    most = LONG_TEXT_MAX if each.kind is FieldKind.LONG_TEXT else TEXT_MAX
    visible = text.replace("\n", "").replace("\r", "").replace("\t", "") if most == LONG_TEXT_MAX else text
    if len(text) > most or not visible.isprintable():
        raise InvalidInput(
            f"{each.label} cannot be used.",
            hint=f"Use at most {grouped(most)} characters, all of them visible.",
            field=each.name,
        )
    return text


def _check_number(each: Field, value: Value) -> int:
    if value == "":
        if each.default == "":
            raise _missing(each)
        return int(each.default)
    try:
        number = int(value)
    except (ValueError, OverflowError):
        number = each.least - 1
    if not each.least <= number <= each.most:
        raise InvalidInput(
            f"{each.label} is out of bounds.",
            hint=f"Choose {grouped(each.least)} to {grouped(each.most)}.",
            field=each.name,
        )
    return number


def _check_choice(each: Field, text: str) -> str:
    chosen = text or str(each.default)
    if chosen not in each.choices:
        raise InvalidInput(
            f"{each.label} has no such choice.", hint=f"Choose one of: {', '.join(each.choices)}.", field=each.name
        )
    return chosen


def _missing(each: Field) -> InvalidInput:
    return InvalidInput(f"{each.label} is missing.", hint="Your provider gives it to you.", field=each.name)
