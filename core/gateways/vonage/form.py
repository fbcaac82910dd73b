"""What a person is asked about Vonage. Source: https://developer.vonage.com/api/sms."""

from core.domain.gateways.forms import Field, FieldKind
from core.domain.gateways.gateways import Connection
from core.errors import InvalidInput
from core.gateways.http.fields import CALLBACKS, CONNECTIONS, LIMITS, MESSAGES, NETWORKS, VALIDITY, check_common
from core.gateways.vonage.signatures import Method

FORM = (
    Field("api_key", "API key", required=True),
    Field("api_secret", "API secret", FieldKind.SECRET, required=True),
    VALIDITY,
    Field(
        "signs",
        "Sign requests",
        FieldKind.SWITCH,
        default=False,
        section=MESSAGES,
        help="With the signature secret, in place of the API secret.",
    ),
    *LIMITS,
    Field("url", "Address", default="https://rest.nexmo.com", section=CONNECTIONS),
    Field(
        "signature_secret",
        "Signature secret",
        FieldKind.SECRET,
        section=CALLBACKS,
        help="With one, callbacks without a valid signature are refused. Ask Vonage to sign them first.",
    ),
    Field(
        "signature_method",
        "Signature method",
        FieldKind.CHOICE,
        Method.MD5_HASH.value,
        choices={
            Method.MD5_HASH.value: "MD5 hash",
            Method.MD5.value: "MD5 HMAC",
            Method.SHA1.value: "SHA-1 HMAC",
            Method.SHA256.value: "SHA-256 HMAC",
            Method.SHA512.value: "SHA-512 HMAC",
        },
        section=CALLBACKS,
        help="As chosen in Vonage's dashboard.",
    ),
    NETWORKS,
)


def check(connection: Connection) -> None:
    """Look at what was filled in as a whole. Raises: InvalidInput, with the *field*."""
    check_common(connection.settings)
    if connection.settings["signs"] and not connection.secrets.get("signature_secret"):
        raise InvalidInput(
            "Requests cannot be signed without a signature secret.",
            hint="Copy it from Vonage's dashboard.",
            field="signature_secret",
        )
    key = str(connection.settings["api_key"])
    if not (key.isascii() and key.isalnum()):
        raise InvalidInput(
            "The API key cannot be used.",
            hint="It has letters and digits only. The secret has a field of its own.",
            field="api_key",
        )
