"""
Where something stands in an answer or a callback, as a person writes it down: names and numbers, parted by dots.

`messages.0.id` is the id of the first of the messages. A name with a dot in it is found if it is the whole path.
"""

from core.errors import InvalidInput

_PARTS_MOST = 20


def check_path(path: str, field: str) -> None:
    """Let a path pass, "" too. Raises: InvalidInput, with the *field*."""
    parts = path.split(".")
    if path and (len(parts) > _PARTS_MOST or not all(part.strip() for part in parts)):
        raise InvalidInput(
            f"{path!r} is no path.", hint="Write names and numbers, parted by dots: messages.0.id.", field=field
        )


def find(document: object, path: str) -> object:
    """Return what stands at *path* of a JSON document, the document itself at ""; None where there is nothing."""
    if not path or (isinstance(document, dict) and path in document):
        return document[path] if path and isinstance(document, dict) else document
    found = document
    for part in path.split("."):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isascii() and part.isdigit() and int(part[:6]) < len(found):
            found = found[int(part[:6])]
        else:
            return None
    return found


def find_between(text: str, pattern: str) -> str:
    """
    Return what stands in *text* where *pattern* has {}, up to what follows that or the next space; "" for nothing.

    A pattern without {} finds itself. It takes time by the length of the text, whatever the pattern is.
    """
    before, mark, after = pattern.partition("{}")
    start = text.find(before)
    if not pattern or start < 0:
        return ""
    if not mark:
        return pattern
    rest = text[start + len(before) :]
    if after:
        end = rest.find(after)
        return rest[:end].strip() if end >= 0 else ""
    words = rest.split(maxsplit=1)
    return words[0] if words else ""
