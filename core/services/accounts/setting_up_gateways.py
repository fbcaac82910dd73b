"""
Setting up gateways: how administrators tell Heliograph of a provider.

Secrets go in and never come out: only `connecting_gateways` opens them, for the gateway itself.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.domain.accounts.accounts import check_rate
from core.domain.gateways.forms import FieldKind, Value, check_form
from core.domain.gateways.gateways import Connection, GatewaySetup, check_gateway_name
from core.domain.people.permissions import Viewer
from core.domain.reports.audit import Action, Subject
from core.errors import AppError, ConfigurationError, Conflict, Faults, InvalidInput
from core.gateways.kinds import GatewayKind
from core.gateways.registry import KINDS
from core.services.accounts.connecting_gateways import (
    ConnectingGateways,
    GatewaySecrets,
    Secrets,
    callback_url,
    hash_token,
    new_token,
)
from core.services.accounts.gateway_health import GatewayHealth
from core.services.accounts.managing_accounts import require_administrator
from core.state.accounts import accounts, gateways
from core.state.accounts.gateways import Sealed, StoredGateway
from core.state.campaigns import ledger, receipts
from core.state.engine.store import State
from core.state.reports import audit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GatewayForm:
    """
    What was filled in.

    Args:
        values: By the names of the kind's fields. A secret that is not given is kept as it is.
        rate_tps: Segments a second, over all accounts; None for no limit of its own.
        resumes: Whether campaigns that were paused since it failed go on by themselves once it works again.
        forgotten: Names of secrets to be deleted.
    """

    values: Mapping[str, Value] = field(repr=False)
    rate_tps: int | None = None
    resumes: bool = True
    forgotten: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ListedGateway:
    """A gateway, what its kind is called, and the display names of the accounts that use it."""

    setup: GatewaySetup
    title: str
    account_names: tuple[str, ...]

    @property
    def can_be_deleted(self) -> bool:
        """Whether it ever can: one that is built in stays."""
        return self.setup.kind not in KINDS or not KINDS[self.setup.kind].is_built_in


class SettingUpGateways:
    """The gateways that accounts choose from."""

    def __init__(
        self, state: State, kept: GatewaySecrets, connecting: ConnectingGateways, health: GatewayHealth, address: str
    ) -> None:
        """Take the store, who seals secrets, who connects, whom to tell that a gateway works, and our own address."""
        self._state = state
        self._kept = kept
        self._connecting = connecting
        self._health = health
        self._address = address

    @property
    def has_key(self) -> bool:
        """Whether this installation has a key to keep secrets by."""
        return self._kept.has_key

    def list_kinds(self) -> Mapping[str, GatewayKind]:
        """Return the kinds a person can set up."""
        return {name: kind for name, kind in KINDS.items() if not kind.is_built_in}

    def find_kind(self, setup: GatewaySetup) -> GatewayKind | None:
        """Return the gateway's kind; None where this version does not know it."""
        return KINDS.get(setup.kind)

    def list_gateways(self, viewer: Viewer) -> tuple[ListedGateway, ...]:
        """Return all gateways, by name. Raises: Forbidden: not an administrator."""
        require_administrator(viewer)
        with self._state.read() as session:
            found, users = gateways.list_gateways(session), accounts.list_by_gateway(session)
        return tuple(
            ListedGateway(
                setup, KINDS[setup.kind].title if setup.kind in KINDS else setup.kind, users.get(setup.name, ())
            )
            for setup in found
        )

    def get(self, viewer: Viewer, name: str) -> GatewaySetup:
        """Return the gateway. Raises: Forbidden: not an administrator. NotFound."""
        require_administrator(viewer)
        with self._state.read() as session:
            return gateways.get_gateway(session, name).setup

    def create(self, viewer: Viewer, name: str, kind: str, form: GatewayForm, now: datetime) -> GatewaySetup:
        """
        Set up a gateway and return it; whoever is to use it chooses it for an account.

        Raises: Forbidden: not an administrator. InvalidInput: something cannot be used, or the name is taken; with the
            *field*, and of several an `InvalidForm`. ConfigurationError: the installation has no key for its secrets.
        """
        require_administrator(viewer)
        if kind not in self.list_kinds():
            raise InvalidInput("There is no such kind of gateway.", hint="Reload the page and try again.", field="kind")
        faults, setup = Faults(), GatewaySetup("", kind)
        with faults.gather():
            setup = replace(setup, name=check_gateway_name(name))
            self._check_free(setup)
        with faults.gather():
            setup, secrets = _fill_in(setup, Secrets(token=new_token() if self._kept.has_key else ""), form)
        faults.check()
        sealed = self._seal(setup.name, secrets, now if secrets.values else None)
        try:
            with self._state.write() as session:
                _require_free(session, setup)
                gateways.add_gateway(session, setup, sealed, now)
                created = gateways.get_gateway(session, setup.name).setup
                _record(session, viewer, Action.GATEWAY_CREATED, created, now, {"kind": KINDS[kind].title})
        except IntegrityError as error:
            # Somebody else was a moment faster.
            raise _taken(setup.name) from error
        log.info("gateway_created", extra={"gateway": setup.name, "kind": kind, "user_id": viewer.user_id})
        return created

    def change(self, viewer: Viewer, name: str, form: GatewayForm, now: datetime) -> GatewaySetup:
        """
        Set up the gateway otherwise and return it; those who are connected follow within a second or two.

        Raises: Forbidden: not an administrator. NotFound. InvalidInput: something cannot be used; as `create`.
            ConfigurationError: the installation has no key for its secrets, or none that opens them.
        """
        require_administrator(viewer)
        with self._state.write() as session:
            before = gateways.lock_gateway(session, name)
            kept, is_lost = self._open_if_possible(before)
            after, secrets = _fill_in(before.setup, kept, form)
            changed = _changes(before.setup, after, form)
            if not changed and not is_lost:
                return before.setup
            sealed = before.sealed
            if is_lost or _touches_secrets(form, before.setup):
                sealed = self._seal(name, secrets, now if secrets.values else None)
            if after.settings != before.setup.settings or sealed != before.sealed:
                after = replace(after, version=before.setup.version + 1)
            gateways.change_gateway(session, after, sealed)
            after = gateways.get_gateway(session, name).setup
            _record(session, viewer, Action.GATEWAY_CHANGED, after, now, changed)
        log.info("gateway_changed", extra={"gateway": name, "version": after.version, "user_id": viewer.user_id})
        return after

    def delete(self, viewer: Viewer, name: str, now: datetime) -> None:
        """
        Forget how the gateway was set up, and its secrets. Its messages bear its name, which only its kind gets again.

        Raises: Forbidden: not an administrator. NotFound. InvalidInput: it is built in. Conflict: an account uses it,
            or messages and receipts that are under way.
        """
        require_administrator(viewer)
        with self._state.write() as session:
            setup = gateways.lock_gateway(session, name).setup
            if not ListedGateway(setup, "", ()).can_be_deleted:
                raise InvalidInput(f"{name} is part of Heliograph.", hint="It does nothing unless an account uses it.")
            if users := accounts.list_by_gateway(session).get(name):
                raise Conflict(
                    f"{name} is used by {', '.join(users)}.",
                    hint="Choose another gateway for them before you delete it.",
                )
            if ledger.is_under_way(session, name) or receipts.is_any_of(session, name):
                raise Conflict(
                    f"Messages or receipts of {name} are still being processed.", hint="Try again in a few minutes."
                )
            gateways.delete_gateway(session, name, now)
            _record(session, viewer, Action.GATEWAY_DELETED, setup, now, {})
        log.info("gateway_deleted", extra={"gateway": name, "user_id": viewer.user_id})

    def test_connection(self, viewer: Viewer, name: str, now: datetime) -> str:
        """
        Connect as the gateway is set up, without sending anything, and return in words what came of it.

        One by which nothing could be sent is taken to work again, and the campaigns that wait for it go on; where
        a person has to see to it, only if the test proves more than that somebody answers.
        Raises: Forbidden: not an administrator. NotFound. AppError: in words, what failed and what to do.
        """
        require_administrator(viewer)
        try:
            said = self._connecting.try_connection(name)
            setup = self.get(viewer, name)
            self._health.tested(name, now)
            if not setup.needs_person or KINDS[setup.kind].proves_credentials:
                self._health.recover(name, now)
        except AppError as error:
            self._health.test_failed(name, error.message, now)
            log.info("gateway_test_failed", extra={"gateway": name, "code": error.code, "reason": error.message})
            raise
        log.info("gateway_tested", extra={"gateway": name, "user_id": viewer.user_id})
        return said

    def get_callback_url(self, viewer: Viewer, name: str) -> str:
        """
        Return where the provider is to report, "" while there is no such address; whoever knows it may report.

        Raises: Forbidden: not an administrator. NotFound. ConfigurationError: no key opens it.
        """
        require_administrator(viewer)
        with self._state.read() as session:
            stored = gateways.get_gateway(session, name)
        return callback_url(self._address, self._kept.open(stored).token)

    def renew_callback(self, viewer: Viewer, name: str, now: datetime) -> str:
        """
        Make a new address for the provider's reports and return it; the one from before works no more.

        Raises: Forbidden: not an administrator. NotFound. ConfigurationError: there is no key to keep it by.
        """
        require_administrator(viewer)
        with self._state.write() as session:
            before = gateways.lock_gateway(session, name)
            secrets = replace(self._kept.open(before), token=new_token())
            after = replace(before.setup, version=before.setup.version + 1)
            gateways.change_gateway(session, after, self._seal(name, secrets, before.sealed.at))
            _record(session, viewer, Action.CALLBACK_RENEWED, after, now, {})
        log.info("callback_renewed", extra={"gateway": name, "user_id": viewer.user_id})
        return callback_url(self._address, secrets.token)

    def _check_free(self, setup: GatewaySetup) -> None:
        with self._state.read() as session:
            _require_free(session, setup)

    def _open_if_possible(self, stored: StoredGateway) -> tuple[Secrets, bool]:
        """Return the gateway's secrets, and whether they are lost with their key: then all are to be set again."""
        try:
            return self._kept.open(stored), False
        except ConfigurationError:
            if not self._kept.has_key:
                raise
            log.warning("secrets_lost", extra={"gateway": stored.setup.name})
            return Secrets(token=new_token()), True

    def _seal(self, name: str, secrets: Secrets, at: datetime | None) -> Sealed:
        callback_hash = hash_token(secrets.token) if secrets.token else None
        return Sealed(self._kept.seal(name, secrets), frozenset(secrets.values), at, callback_hash)


def _fill_in(before: GatewaySetup, kept: Secrets, form: GatewayForm) -> tuple[GatewaySetup, Secrets]:
    """Return the gateway and its secrets as the form wants them. Raises: InvalidInput."""
    if before.kind not in KINDS:
        raise ConfigurationError(f"This version does not know gateways of the kind {before.kind!r}.")
    kind = KINDS[before.kind]
    faults = Faults()
    left = {name: value for name, value in kept.values.items() if name not in form.forgotten}
    with faults.gather():
        filled = check_form(kind.form, form.values, kept=frozenset(left))
        secrets = replace(kept, values=left | dict(filled.secrets))
        kind.check(Connection(before.name, filled.settings, secrets.values, kind=before.kind))
    with faults.gather():
        rate_tps = None if form.rate_tps is None else check_rate(form.rate_tps)
    faults.check()
    return replace(before, settings=filled.settings, rate_tps=rate_tps, resumes=form.resumes), secrets


def _require_free(session: Session, setup: GatewaySetup) -> None:
    if gateways.is_name_taken(session, setup.name):
        raise _taken(setup.name)
    if gateways.find_former_kind(session, setup.name) not in {"", setup.kind}:
        raise _was_another(setup.name)


def _touches_secrets(form: GatewayForm, before: GatewaySetup) -> bool:
    given = {
        each.name for each in KINDS[before.kind].form if each.kind is FieldKind.SECRET and form.values.get(each.name)
    }
    return bool(given or form.forgotten & before.secrets_set)


def _changes(before: GatewaySetup, after: GatewaySetup, form: GatewayForm) -> dict[str, str]:
    """Return what the audit says: settings as they were and are, of secrets and long texts only that they changed."""
    changed = dict[str, str]()
    for each in KINDS[before.kind].form:
        old, new = before.settings.get(each.name, each.default), after.settings.get(each.name, each.default)
        if each.kind is FieldKind.SECRET:
            if form.values.get(each.name):
                changed[each.label] = "replaced" if each.name in before.secrets_set else "set"
            elif each.name in form.forgotten & before.secrets_set:
                changed[each.label] = "deleted"
        elif old != new:
            is_long = each.kind is FieldKind.LONG_TEXT
            changed[each.label] = "changed" if is_long else f"{_word(old)} → {_word(new)}"
    if before.rate_tps != after.rate_tps:
        changed["segments per second"] = f"{_word(before.rate_tps)} → {_word(after.rate_tps)}"
    if before.resumes != after.resumes:
        changed["resumes by itself"] = f"{_word(before.resumes)} → {_word(after.resumes)}"
    return changed


def _word(value: Value | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if text.lower().startswith(("http://", "https://")) and "?" in text:
        # Some providers take a key there, and nobody can take anything out of the audit again.
        return f"{text.partition('?')[0]}?…"
    return "none" if value in {None, ""} else text


def _taken(name: str) -> InvalidInput:
    return InvalidInput(f"There is already a gateway called {name}.", hint="Choose another name.", field="name")


def _was_another(name: str) -> InvalidInput:
    return InvalidInput(
        f"There was a gateway of another kind called {name}, and its messages carry that name.",
        hint="Choose another name.",
        field="name",
    )


def _record(
    session: Session, viewer: Viewer, action: Action, setup: GatewaySetup, now: datetime, details: Mapping[str, str]
) -> None:
    audit.record(session, viewer, action, Subject("gateway", setup.name, setup.name), now, details)
