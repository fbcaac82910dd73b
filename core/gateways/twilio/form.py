"""What a person is asked about Twilio. Source: https://www.twilio.com/docs/messaging/api/message-resource."""

from core.domain.gateways.forms import Field, FieldKind
from core.domain.gateways.gateways import Connection
from core.errors import InvalidInput
from core.gateways.http.fields import CONNECTIONS, LIMITS, MESSAGES, VALIDITY, check_common

FORM = (
    Field("account_sid", "Account SID", required=True, help="Begins with AC."),
    Field(
        "auth_token",
        "Auth token",
        FieldKind.SECRET,
        required=True,
        help="Also checks that callbacks are Twilio's own. With an API key it does nothing else.",
    ),
    Field("api_key_sid", "API key SID", help="Begins with SK. Empty: messages are sent with the auth token."),
    Field("api_key_secret", "API key secret", FieldKind.SECRET),
    Field(
        "shared_key",
        "Shared key's secret",
        FieldKind.SECRET,
        help="Only if a webhook rule of yours has Twilio sign callbacks with a shared key instead of the auth token.",
    ),
    Field(
        "messaging_service_sid",
        "Messaging service SID",
        section=MESSAGES,
        help="Begins with MG. The service then chooses the sender, and the campaign's does not count.",
    ),
    VALIDITY,
    *LIMITS,
    Field(
        "url",
        "Address",
        default="https://api.twilio.com",
        section=CONNECTIONS,
        help="Another one for a region of Twilio's, such as https://api.dublin.ie1.twilio.com.",
    ),
)


def check(connection: Connection) -> None:
    """Look at what was filled in as a whole. Raises: InvalidInput, with the *field*."""
    check_common(connection.settings)
    if connection.settings["api_key_sid"] and not connection.secrets.get("api_key_secret"):
        raise InvalidInput(
            "The API key's secret is missing.", hint="Twilio showed it once, with the key.", field="api_key_secret"
        )
    for name, prefix in (("account_sid", "AC"), ("api_key_sid", "SK"), ("messaging_service_sid", "MG")):
        sid = str(connection.settings[name])
        if sid and not (sid.startswith(prefix) and sid.isascii() and sid.isalnum()):
            raise InvalidInput(
                f"{sid[:40]!r} is not a valid SID.",
                hint=f"It begins with {prefix}; copy it from Twilio's console.",
                field=name,
            )
