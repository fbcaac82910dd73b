"""
Simplifying: typographic characters that word processors put in, replaced by those of the GSM alphabet.

One such character makes a whole message Unicode, which holds 70 characters instead of 160. Accents, other scripts and
emoji are left alone: they are what somebody meant to say.
"""

from core.domain.texts.encoding import GSM7_CHARACTERS

# What each is replaced by; "" takes away a character that nobody sees.
# Written as codes: most of them look like what they are replaced by.
REPLACEMENTS: dict[str, str] = {
    # Double quotation marks and double primes.
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u301d\u301e", '"'),
    # Single quotation marks, primes and accents that stand alone.
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a\u2032\u00b4\u0060", "'"),
    # Dashes, minus and hyphens.
    **dict.fromkeys("\u2013\u2014\u2012\u2015\u2212\u2010\u2011", "-"),
    # Spaces of other widths, and the tabulator.
    **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " "),
    **dict.fromkeys("\u202f\u205f\u3000\t", " "),
    # Zero-width space, word joiner, byte order mark, soft hyphen. Joiners stay: emoji and some scripts need them.
    **dict.fromkeys("\u200b\u2060\ufeff\u00ad", ""),
    # Line and paragraph separators.
    **dict.fromkeys("\u2028\u2029", "\n"),
    # Bullet, middle dot, multiplication sign, fraction slash, ellipsis.
    "\u2022": "*",
    "\u00b7": ".",
    "\u00d7": "x",
    "\u2044": "/",
    "\u2026": "...",
}

_TABLE = str.maketrans(REPLACEMENTS)

assert not GSM7_CHARACTERS & REPLACEMENTS.keys()
assert GSM7_CHARACTERS.issuperset("".join(REPLACEMENTS.values()))


def group_replacements() -> dict[str, tuple[str, ...]]:
    """Return for each replacement the characters that become it, as `REPLACEMENTS` has them."""
    groups: dict[str, tuple[str, ...]] = {}
    for character, replacement in REPLACEMENTS.items():
        groups[replacement] = (*groups.get(replacement, ()), character)
    return groups


def simplify(text: str) -> str:
    """Return *text* with `REPLACEMENTS` made; a text of GSM characters stays as it is."""
    return text.translate(_TABLE)


def list_replacements(text: str) -> list[tuple[str, str]]:
    """Return which characters of *text* `simplify` replaces and by what, each once, in the order they come."""
    return [(character, REPLACEMENTS[character]) for character in dict.fromkeys(text) if character in REPLACEMENTS]
