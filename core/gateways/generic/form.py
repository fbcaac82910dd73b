"""What a person is asked about an HTTP interface that Heliograph does not know."""

from core.domain.gateways.forms import Field, FieldKind
from core.domain.gateways.gateways import Connection
from core.errors import InvalidInput
from core.gateways.generic.templates import check_names, parse_fields, parse_headers, parse_json
from core.gateways.http.callback_fields import callback_form, check_callback_form
from core.gateways.http.fields import LIMITS, check_common
from core.gateways.http.paths import check_path

_ANSWER = "Answer"
_NAMES = "{to} {from} {text} {id} {segments} {unicode} {user} {secret} {callback}"
ANSWER_PLACES = ("answer_success", "answer_id", "answer_error")

_REQUEST = (
    Field("url", "Address", required=True, help=f"May have {_NAMES} in it."),
    Field("user", "User", help="What {user} stands for."),
    Field("secret", "Password or key", FieldKind.SECRET, help="What {secret} stands for."),
    Field("method", "Method", FieldKind.CHOICE, "POST", choices={"POST": "POST", "GET": "GET", "PUT": "PUT"}),
    Field(
        "headers",
        "Headers",
        FieldKind.LONG_TEXT,
        help="One a line, such as Authorization: Bearer {secret}, or Authorization: Basic {basic}.",
    ),
    Field(
        "format",
        "Message format",
        FieldKind.CHOICE,
        "json",
        choices={"json": "JSON in the body", "form": "Form fields in the body", "query": "Query string of the address"},
    ),
    Field(
        "body",
        "Message",
        FieldKind.LONG_TEXT,
        required=True,
        help='JSON, such as {"to": "{to}", "text": "{text}"}. Otherwise one field a line, such as to = {to}.'
        f" There are {_NAMES}.",
    ),
    Field("plus", "Write numbers with +", FieldKind.SWITCH, default=False),
    Field("unicode_yes", "Value of {unicode} for Unicode texts", default="1"),
    Field("unicode_no", "Value of {unicode} for other texts", default="0"),
)
_READING = (
    Field(
        "answer_format",
        "Answers are",
        FieldKind.CHOICE,
        "json",
        choices={"json": "JSON", "text": "text"},
        section=_ANSWER,
        help="In JSON, places are paths: messages.0.id. In a text, they are what stands around them: ID: {}.",
    ),
    Field("answer_success", "Place of success", section=_ANSWER, help="Empty: what has no error code is taken."),
    Field(
        "success_words",
        "Words for success",
        section=_ANSWER,
        help="What stands there then, several separated by commas: 0, OK. Empty: anything.",
    ),
    Field(
        "answer_id",
        "Place of the message ID",
        section=_ANSWER,
        help="Receipts name it. Empty: they name the {id} that was sent.",
    ),
    Field("answer_error", "Place of the error code", section=_ANSWER),
    Field(
        "temporary_codes",
        "Error codes: try again",
        section=_ANSWER,
        help="Separated by commas. Whatever is in neither list fails the message.",
    ),
    Field(
        "account_codes",
        "Error codes: stop and tell me",
        section=_ANSWER,
        help="Credit, credentials, sender: the next message would fail too.",
    ),
)
FORM = (
    *_REQUEST,
    *_READING,
    *LIMITS,
    *callback_form(callback_id="id", callback_state="status", callback_error="error"),
)


def check(connection: Connection) -> None:
    """Look at what was filled in as a whole. Raises: InvalidInput, with the *field*."""
    settings = {name: str(value) for name, value in connection.settings.items()}
    check_common(connection.settings)
    check_callback_form(connection.settings)
    check_names(settings["url"], "url")
    parse_headers(settings["headers"], "headers")
    if settings["method"] == "GET" and settings["format"] != "query":
        raise InvalidInput("A GET has no body.", hint="Choose the query string as the message format.", field="format")
    (parse_json if settings["format"] == "json" else parse_fields)(settings["body"], "body")
    if settings["answer_format"] == "json":
        for name in ANSWER_PLACES:
            check_path(settings[name], name)
