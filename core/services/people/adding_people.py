"""Adding people from the command line, where whoever can type already owns the installation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from core.domain.people.permissions import PRESETS, Viewer
from core.errors import InvalidInput, NotFound
from core.services.accounts.first_account import open_first_account
from core.services.people.signing_in import SigningIn
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.people import users


@dataclass(frozen=True)
class NewPerson:
    """A person to add. *accounts* are traffic account names; *preset* is one of `PRESETS`."""

    name: str
    email: str
    password: str
    preset: str = "Administrator"
    accounts: Sequence[str] = ()


class AddingPeople:
    """People without an invitation."""

    def __init__(self, state: State, signing_in: SigningIn, rate_tps: int) -> None:
        """Take the store, the service that knows the password rules, and the rate of the first account."""
        self._state = state
        self._signing_in = signing_in
        self._rate_tps = rate_tps

    def add(self, person: NewPerson, now: datetime) -> Viewer:
        """
        Add an active person; the first one of all gets an account on the simulator gateway.

        Raises: InvalidInput: name, email, password or preset. NotFound: no account of that name.
        """
        if person.preset not in PRESETS:
            raise InvalidInput(f"There is no preset {person.preset!r}.", hint=f"One of: {', '.join(PRESETS)}.")
        new = self._signing_in.new_user(person.name, person.email, person.password, person.preset)
        try:
            with self._state.write() as session:
                first = users.count_users(session) == 0
                users.add_user(session, new, now)
                if first:
                    open_first_account(session, new.user_id, self._rate_tps, now)
                for name in person.accounts:
                    users.add_membership(session, new.user_id, accounts.get_account_by_name(session, name).account_id)
        except IntegrityError as error:
            raise InvalidInput(f"There is already a user {new.email}.", hint="Choose another email.") from error
        return self.get_viewer(new.email)

    def get_viewer(self, email: str = "") -> Viewer:
        """Return the active person with this *email*, or the first one there is. Raises: NotFound."""
        with self._state.read() as session:
            user_id = users.find_user_id(session, email)
            viewer = users.find_viewer(session, user_id) if user_id else None
        if viewer is None:
            if email:
                raise NotFound(f"There is no active user {email}.", hint="Check the email address.")
            raise NotFound("There is no active user.", hint="Create the first one with create-user.")
        return viewer
