"""What a person is asked about Mitto. Source: https://docs.mitto.ch/sms-bulk-sms-api-reference."""

from core.domain.gateways.forms import Field, FieldKind
from core.domain.gateways.gateways import Connection
from core.gateways.http.callback_fields import callback_form, check_callback_form
from core.gateways.http.fields import LIMITS, MESSAGES, VALIDITY, check_common

FORM = (
    Field(
        "url",
        "Address",
        default="https://rest.mittoapi.net",
        help="The endpoint near you, such as https://rest-fra.mittoapi.net.",
    ),
    Field("api_key", "API key", FieldKind.SECRET, required=True, help="Mitto also has to know this machine's address."),
    Field(
        "per_request",
        "Receivers per request",
        FieldKind.NUMBER,
        100,
        least=1,
        most=1_000,
        section=MESSAGES,
        help="Messages with the same sender and text travel together. 1: each by itself.",
    ),
    VALIDITY,
    *LIMITS,
    # What the customer's template says; these are the names of the one in our guide.
    *callback_form(callback_id="Id", callback_state="status", callback_error="errorcode"),
)


def check(connection: Connection) -> None:
    """Look at what was filled in as a whole. Raises: InvalidInput, with the *field*."""
    check_common(connection.settings)
    check_callback_form(connection.settings)
