"""Which kinds of gateways there are. A new provider adds its folder and one line here."""

from collections.abc import Mapping

from core.domain.gateways.gateways import SIMULATOR
from core.gateways.generic.kind import GENERIC
from core.gateways.infobip.kind import INFOBIP
from core.gateways.kinds import GatewayKind
from core.gateways.mitto.kind import MITTO
from core.gateways.simulator.kind import SIMULATOR_KIND
from core.gateways.smpp.kind import SMPP
from core.gateways.twilio.kind import TWILIO
from core.gateways.vonage.kind import VONAGE

# By the name that is kept with a gateway, and that its folder has: another one needs a migration.
KINDS: Mapping[str, GatewayKind] = {
    SIMULATOR: SIMULATOR_KIND,
    "smpp": SMPP,
    "mitto": MITTO,
    "twilio": TWILIO,
    "vonage": VONAGE,
    "infobip": INFOBIP,
    "generic": GENERIC,
}
