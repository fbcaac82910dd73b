"""
Cells that hold no value, though something stands in them: what programs write where there is nothing.

The one table for whoever reads cells: an import takes them for empty, a preflight points out those that are left.
"""

from core.domain.texts.placeholders import BLANKS

# Compared without case, and without blanks around them. Short words of people's own language, such as "no" or "none of
# the above", are not here; a person called Null or None is asked for by name rather than by "#N/A".
NO_VALUES = frozenset(
    {
        # Spreadsheets: errors of Excel and LibreOffice, in the languages that translate them too.
        *("#n/a", "#n/a!", "#na", "#nv", "#n/v", "#value!", "#wert!", "#ref!", "#bezug!", "#div/0!", "#name?", "#num!"),
        *("#zahl!", "#null!", "#spill!", "#calc!", "#getting_data", "#blocked!", "#connect!", "#field!", "#unknown!"),
        # Databases and languages: SQL, pandas, Python, R, JavaScript, Java, Go.
        *("null", "(null)", "<null>", "[null]", "\\n", "nil", "<nil>", "none", "nan", "-nan", "<na>", "<nan>", "nat"),
        *("undefined", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "inf", "-inf", "infinity", "-infinity"),
        # People who had to fill in a form.
        *("n/a", "n.a.", "n.a", "n/d", "n.d.", "k.a.", "k. a.", "s/o"),
    }
)
MOST_CHARACTERS = max(map(len, NO_VALUES))


def is_no_value(cell: str) -> bool:
    """Return whether what stands in *cell* only says that nothing does; an empty cell does not."""
    return cell.strip(BLANKS).lower() in NO_VALUES
