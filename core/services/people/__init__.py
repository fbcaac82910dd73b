"""People: how they come in, what they may do, and what they say of themselves. Begin with `signing_in`."""

from collections.abc import Callable
from dataclasses import dataclass

from core.config import Settings
from core.mail.post import OutboxPost, Post, SmtpPost
from core.services.people.adding_people import AddingPeople
from core.services.people.explaining import Explaining
from core.services.people.following_links import FollowingLinks
from core.services.people.inviting import Inviting
from core.services.people.mailing import Mailing
from core.services.people.managing_people import ManagingPeople
from core.services.people.own_account import OwnAccount
from core.services.people.resetting_passwords import ResettingPasswords
from core.services.people.signing_in import SigningIn
from core.state.engine.store import State


@dataclass(frozen=True)
class People:
    """What is asked about people, by themselves and by those who manage them."""

    signing_in: SigningIn
    mailing: Mailing
    resetting: ResettingPasswords
    links: FollowingLinks
    own_account: OwnAccount
    adding: AddingPeople
    inviting: Inviting
    managing: ManagingPeople
    explaining: Explaining


def build(settings: Settings, state: State, portrait: Callable[[bytes], bytes]) -> People:
    """Return the services of people; *portrait* makes of an uploaded picture what is kept."""
    signing_in = SigningIn(
        state,
        idle_s=settings.session_idle_s,
        lifetime_s=settings.session_lifetime_s,
        rate_tps=settings.default_rate_tps,
    )
    passwords, mailing = signing_in.passwords, Mailing(_post(settings), settings.address)
    return People(
        signing_in,
        mailing,
        resetting=ResettingPasswords(state, passwords, mailing, settings.link_min),
        links=FollowingLinks(state, passwords, mailing),
        own_account=OwnAccount(state, mailing, passwords, settings.link_min, portrait),
        adding=AddingPeople(state, signing_in, settings.default_rate_tps),
        inviting=Inviting(state, mailing, settings.invitation_h),
        managing=ManagingPeople(state),
        explaining=Explaining(state),
    )


def _post(settings: Settings) -> Post:
    if settings.smtp_url:
        return SmtpPost(settings.smtp_url, settings.mail_from)
    return OutboxPost(settings.outbox_dir, settings.mail_from)
