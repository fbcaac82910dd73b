"""Drawing what the demo company's people answered to its campaigns."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.demo.company import CAMPAIGNS, DemoCampaign
from core.demo.plan import Plan
from core.domain.messages.messages import DeliveryStatus, Reply

# Of those a message was delivered to.
REPLY_RATE, INVITED_RATE = 0.003, 0.02
# What people write, and how often; nobody who has said STOP is written to again, so a list's last campaign has them.
_WORDS = (
    ("Thank you!", 9),
    ("Thanks, booked.", 6),
    ("Who is this?", 7),
    ("Can I still change my booking?\nMy reference is 4711-B.", 4),
    ("Please call me back after 5 pm 🙏", 4),
    ("Danke, aber ich bin schon gebucht.", 4),
    ("Merci beaucoup, à bientôt !", 3),
    ("¿Hay plazas para dos niños?", 3),
    ("Wrong number", 4),
    ("I am out of office until Monday.", 3),
    ("HELP", 3),
)
_STOPS = (("STOP", 14), ("Stop", 6), ("Stopp!", 3), ("ARRET", 3), ("BAJA", 2), ("Please stop writing to me", 2))
_INVITED = (("YES", 12), ("Yes please, with one guest", 6), ("Ja, gerne!", 4), ("Oui, avec plaisir", 3))
_MEDIAN_MIN, _SIGMA, _MOST = 12.0, 1.6, timedelta(hours=30)


def draw_replies(plan: Plan, item: DemoCampaign, messages: pa.Table) -> list[Reply]:
    """Return what people answered until the plan's now to the *messages* (`MESSAGE_SCHEMA`) of a campaign, in order."""
    generator = plan.generator(f"replies/{item.key}")
    is_invitation = "Reply YES" in item.message
    words = (*_WORDS, *(_INVITED if is_invitation else ()), *(_STOPS if _is_last(item) else ()))
    weights = np.array([weight for _, weight in words], dtype=float)
    arrived = messages.filter(pc.equal(messages["delivery_status"], DeliveryStatus.DELIVERED.value))
    answers = generator.random(arrived.num_rows) < (INVITED_RATE if is_invitation else REPLY_RATE)
    chosen = arrived.filter(pa.array(answers)).select(["receiver", "delivered_at"])
    count = chosen.num_rows
    picks = generator.choice(len(words), size=count, p=weights / weights.sum())
    minutes = _MEDIAN_MIN * np.exp(_SIGMA * generator.standard_normal(count))
    found = []
    for number, (receiver, delivered_at) in enumerate(zip(*chosen.to_pydict().values(), strict=True)):
        received_at = delivered_at + min(timedelta(minutes=float(minutes[number])), _MOST)
        if received_at <= plan.now:
            # As an SMSC writes a number.
            sender, reference = receiver.lstrip("+"), f"demo-{item.key}-{number}"
            found.append(Reply("simulator", sender, item.sender_id, words[picks[number]][0], received_at, reference))
    return found


def _is_last(item: DemoCampaign) -> bool:
    """Return whether no campaign to the same list comes after this one."""
    return item.days_ago == min(each.days_ago for each in CAMPAIGNS if each.list_key == item.list_key)
