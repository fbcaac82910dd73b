"""What a person is asked about Infobip. Source: https://www.infobip.com/docs/api/channels/sms."""

from core.domain.gateways.forms import Field, FieldKind
from core.domain.gateways.gateways import Connection
from core.gateways.http.fields import LIMITS, MESSAGES, NETWORKS, VALIDITY, check_common

FORM = (
    Field("url", "Base URL", required=True, help="Your own, such as https://xxxxx.api.infobip.com."),
    Field("api_key", "API key", FieldKind.SECRET, required=True, help="With the scope sms:message:send."),
    Field(
        "per_request",
        "Messages per request",
        FieldKind.NUMBER,
        100,
        least=1,
        most=1_000,
        section=MESSAGES,
        help="They travel together, each with its own text.",
    ),
    VALIDITY,
    *LIMITS,
    NETWORKS,
)


def check(connection: Connection) -> None:
    """Look at what was filled in as a whole. Raises: InvalidInput, with the *field*."""
    check_common(connection.settings)
