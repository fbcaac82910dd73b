"""
Replying: what people sent back is kept, and a STOP is followed at once.

It happens in the transaction that keeps the reply, before its provider hears that it was: no sub-window after that goes
to somebody who has said STOP.
"""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.domain.accounts.suppressions import Origin, SuppressionSource
from core.domain.messages.messages import Reply
from core.domain.messages.replies import Keyword, read_reply
from core.domain.numbering.msisdn import find_msisdn
from core.state.campaigns import replies
from core.state.campaigns.replies import HeardReply
from core.state.suppressions.suppressions import Lifting, add_suppressions, ensure_scope, lift_suppressions

log = logging.getLogger(__name__)

# Who a suppression was set or lifted by, where a person does so by name, and why the latter.
REPLIED = "reply"
STARTED = "START reply"


def keep_replies(session: Session, said: Sequence[Reply], now: datetime) -> None:
    """
    Keep replies within the transaction that is open, and let the accounts they concern follow STOP and START.

    The same one that comes again is kept once and asks for nothing more. Of what one person asks of an account the last
    counts, by when the gateway received it.
    """
    receivers = dict[str, set[str]]()
    for reply in said:
        receivers.setdefault(reply.gateway, set()).add(reply.receiver)
    # All in one look: whoever sends the replies chooses how many receivers they have.
    addressed = {gateway: replies.list_addressed(session, gateway, named) for gateway, named in receivers.items()}
    heard = [
        HeardReply(
            reply=reply,
            msisdn=find_msisdn(reply.sender) or "",
            keyword=_find_keyword(reply),
            account_ids=addressed[reply.gateway][reply.receiver],
        )
        # As it came where several came at the same moment: the sort is stable.
        for reply in sorted(said, key=lambda reply: reply.received_at)
    ]
    new = replies.add_replies(session, heard, now)
    asking = [item for item in new if item.keyword in {Keyword.STOP, Keyword.START}]
    _warn(asking)
    follow_wishes(session, {(account, item.msisdn) for item in asking for account in item.account_ids}, now)


def follow_wishes(session: Session, concerned: Collection[tuple[str, str]], now: datetime) -> None:
    """
    Let accounts do what numbers have asked of them last; *concerned* are pairs of account_id and msisdn.

    STOP suppresses the number, START lifts that again; what a person has suppressed stays so.
    """
    readable = {(account_id, msisdn) for account_id, msisdn in concerned if msisdn}
    done = Counter[str]()
    for account_id in sorted({account_id for account_id, _ in readable}):
        # Of two processes that keep a STOP and a START in the same moment the second sees what the first has kept.
        ensure_scope(session, account_id)
        asked = replies.list_wishes(session, account_id, {pair[1] for pair in readable if pair[0] == account_id})
        stopped = [msisdn for msisdn, keyword in asked.items() if keyword is Keyword.STOP]
        add_suppressions(session, account_id, stopped, Origin(SuppressionSource.STOP, "", REPLIED, now))
        started = asked.keys() - set(stopped)
        lift_suppressions(session, account_id, started, SuppressionSource.STOP, Lifting(REPLIED, now, STARTED))
        done["stopped"] += len(stopped)
        done["started"] += len(asked) - len(stopped)
    if done:
        log.info("wishes_followed", extra=dict(done))


def _find_keyword(reply: Reply) -> Keyword:
    """Return what the reply asks for: STOP if its words or the provider say so, else what the provider says."""
    read = read_reply(reply.text)
    return read if read is Keyword.STOP or reply.keyword is Keyword.NONE else reply.keyword


def _warn(asking: Sequence[HeardReply]) -> None:
    for item in asking:
        facts = {"gateway": item.reply.gateway, "keyword": item.keyword.value}
        if not item.msisdn:
            # The page Replies says so, too.
            log.warning("reply_sender_unreadable", extra=facts)
        elif not item.account_ids:
            log.warning("reply_of_no_account", extra=facts)
