"""What an answer of an unknown provider means, by where a person says things stand in it."""

from dataclasses import dataclass, field

from core.domain.messages.error_codes import ErrorClass
from core.gateways.http.bodies import decode_octets, text_of
from core.gateways.http.client import ApiAnswer
from core.gateways.http.fields import Answers
from core.gateways.http.paths import find, find_between
from core.gateways.http.verdicts import NOT_UNDERSTOOD, TOO_FAST, Refusal, Verdict, accepted, read_refusal, refused
from core.gateways.states import read_error_code

_OF_CREDENTIALS = frozenset({401, 403})
# What is shorter stands in codes by chance.
_SECRET_LEAST = 5


@dataclass(frozen=True)
class AnswerReader:
    """Where things stand: paths in JSON, or patterns in a text; "" for nowhere. Words and codes in lower case."""

    is_json: bool
    success: str
    success_words: frozenset[str]
    message_id: str
    error: str
    temporary_codes: frozenset[str]
    account_codes: frozenset[str]
    secret: str = field(repr=False)

    def read(self, message_id: str, answer: ApiAnswer) -> Refusal:
        """Return what the answer says of the one message that was asked for, *message_id* being ours."""
        if answer.body is None:
            return NOT_UNDERSTOOD if answer.is_success else read_refusal(answer)
        source = answer.read_json() if self.is_json else decode_octets(answer.body)
        code = read_error_code(self._hide(self._find(source, self.error)))
        if not answer.is_success:
            return self._read_failure(answer, code)
        told = self._find(source, self.success)
        if self.success and not told:
            return Refusal(self._refuse(code)) if code else NOT_UNDERSTOOD
        is_success = (not self.success_words or told.lower() in self.success_words) if self.success else not code
        if not is_success:
            return Refusal(self._refuse(code or self._hide(told)))
        theirs = self._find(source, self.message_id) if self.message_id else message_id
        return Refusal(accepted(theirs)) if theirs else NOT_UNDERSTOOD

    def _read_failure(self, answer: ApiAnswer, code: str) -> Refusal:
        is_listed = code.lower() in self.temporary_codes | self.account_codes
        if code and is_listed and answer.status != TOO_FAST and answer.status not in _OF_CREDENTIALS:
            return Refusal(self._refuse(code))
        return read_refusal(answer, code=code)

    def _refuse(self, code: str) -> Verdict:
        listed = (
            ErrorClass.TEMPORARY
            if code.lower() in self.temporary_codes
            else ErrorClass.ACCOUNT
            if code.lower() in self.account_codes
            else ErrorClass.UNKNOWN
        )
        return refused(listed, code)

    def _hide(self, code: str) -> str:
        # What stands there may be a sentence, and is shown to everybody who sees the message.
        return code.replace(self.secret, "•••") if len(self.secret) >= _SECRET_LEAST else code

    def _find(self, source: object, place: str) -> str:
        if not place:
            return ""
        if isinstance(source, str) and not self.is_json:
            return find_between(source, place)
        found = find(source, place)
        # Success is told by true as often as by a word.
        return str(found).lower() if isinstance(found, bool) else text_of(found)


def make_answer_reader(answers: Answers) -> AnswerReader:
    """Return what reads the answers of a provider that was described like this."""
    return AnswerReader(
        is_json=answers.text("answer_format") == "json",
        success=answers.text("answer_success"),
        success_words=_split(answers.text("success_words")),
        message_id=answers.text("answer_id"),
        error=answers.text("answer_error"),
        temporary_codes=_split(answers.text("temporary_codes")),
        account_codes=_split(answers.text("account_codes")),
        secret=answers.secret("secret"),
    )


def _split(text: str) -> frozenset[str]:
    return frozenset(part.strip().lower() for part in text.split(",") if part.strip())
