"""What somebody asks for, looked at as a whole before any work is done for it."""

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass

from core.domain.words.control_characters import refuse_controls


def refuse_odd_question(question: object, name: str = "question") -> None:
    """
    Let a question pass: a text, or values that hold texts, however deep.

    Raises: InvalidInput: a text in it has a control character or half of one; *field* is its name.
    """
    if isinstance(question, str):
        refuse_controls(question, f"The value of {name}", field=name)
    elif is_dataclass(question):
        for field in fields(question):
            refuse_odd_question(getattr(question, field.name), field.name)
    elif isinstance(question, Mapping):
        for each in (*question, *question.values()):
            refuse_odd_question(each, name)
    elif isinstance(question, Collection) and not isinstance(question, bytes | bytearray):
        for each in question:
            refuse_odd_question(each, name)
