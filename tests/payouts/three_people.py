# SPDX-License-Identifier: EUPL-1.2
"""Payouts to test with: the three people of one, and one in every state, by the real verbs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import Flask
from sqlalchemy import select

from abs_platform.accounts.models import Account, StaffRole
from abs_platform.accounts.queries import user_of_session
from abs_platform.accounts.service import digest
from abs_platform.clock import local_date
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.payouts import approving, service
from abs_platform.payouts.models import Payout, PayoutBatch
from abs_platform.payouts.service import BankDetails
from abs_platform.payouts.states import HolderKind, PayoutState
from abs_platform.users import Role, User
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.people import OTHER_DESK, OWN_DESK, People

IBAN, OTHER_IBAN, GERMAN_IBAN = "NL91ABNA0417164300", "NL20INGB0001234567", "DE89370400440532013000"
MASKED = "NL91 •••• •••• 4300"
RAISED = 5_250
S = PayoutState


def details(**changes: Any) -> BankDetails:
    """Bank details as the initiator fills them in."""
    usual: dict[str, Any] = {
        "amount_cents": RAISED,
        "iban": IBAN,
        "holder_name": "Stichting Noorderplein",
        "holder_kind": HolderKind.ORGANISATION,
    }
    return BankDetails(**usual | changes)


@dataclass
class Paying:
    """Anna asks, Sanne of the desk confirms, Frits of finance approves; Fatou is of finance too."""

    app: Flask
    factory: Factory
    users: dict[int, User] = field(default_factory=dict)

    @cached_property
    def people(self) -> People:
        """Who opens pages."""
        return People(self.app, self.factory)

    @cached_property
    def sanne(self) -> Account:
        """The wijkregisseur of the desk."""
        return self._staff("Sanne de Boer", Role.DISTRICT_MANAGER, desk=OWN_DESK)

    @cached_property
    def els(self) -> Account:
        """A wijkregisseur of another desk."""
        return self._staff("Els Bakker", Role.DISTRICT_MANAGER, desk=OTHER_DESK)

    @cached_property
    def carla(self) -> Account:
        """The coordinator."""
        return self._staff("Carla Smit", Role.COORDINATOR)

    @cached_property
    def frits(self) -> Account:
        """Finance."""
        return self._staff("Frits Vos", Role.FINANCE)

    @cached_property
    def fatou(self) -> Account:
        """Finance too."""
        return self._staff("Fatou Diallo", Role.FINANCE)

    @cached_property
    def tom(self) -> Account:
        """Another wijkregisseur of the desk."""
        return self._staff("Tom Jansen", Role.DISTRICT_MANAGER, desk=OWN_DESK)

    def becomes(self, account: Account, role: Role) -> None:
        """Somebody gets another task here."""
        session, now = self.factory.session, self.factory.now
        for one in session.scalars(select(StaffRole).where(StaffRole.account_id == account.id)):
            one.ended_at = now
        session.flush()
        session.add(StaffRole(account_id=account.id, role=role.value, granted_at=now))
        session.flush()
        self.users.pop(account.id, None)

    def _staff(self, name: str, *roles: Role, desk: str = "") -> Account:
        return self.factory.account(name=name, roles=roles, desks=(desk,) if desk else ())

    def anna(self, initiative: Initiative) -> Account:
        """The initiator."""
        return self.people.organiser_account(initiative)

    def initiative_of(self, payout: Payout) -> Initiative:
        """What a payout is for."""
        return self.factory.session.get_one(Initiative, payout.initiative_id)

    def initiator(self, payout: Payout) -> Account:
        """The initiator of the initiative of a payout."""
        return self.anna(self.initiative_of(payout))

    def user(self, account: Account) -> User:
        """Somebody as permissions see this person."""
        if account.id not in self.users:
            session, token = self.factory.session, self.factory.session_of(account)
            found = user_of_session(session, token, digest(SECRET_KEY, "session", token), now=self.factory.now)
            assert found is not None
            self.users[account.id] = found
        return self.users[account.id]

    def initiative(self, state: InitiativeState = InitiativeState.FUNDED, **options: Any) -> Initiative:
        """An initiative that raised EUR 52.50."""
        made = self.factory.initiative(state, **{"target_cents": RAISED} | options)
        self.factory.session.flush()
        return made

    def requested(self, initiative: Initiative | None = None, **changes: Any) -> Payout:
        """The initiator asked for the money."""
        made = initiative or self.initiative()
        payout_id = service.request(
            self.factory.session,
            made.id,
            details(**changes),
            user=self.user(self.anna(made)),
            secret_key=SECRET_KEY,
            now=self.factory.now,
        )
        return self.fresh(payout_id)

    def confirmed(self, initiative: Initiative | None = None, by: Account | None = None, **changes: Any) -> Payout:
        """The desk confirmed it."""
        payout = self.requested(initiative, **changes)
        self.confirm(payout, by or self.sanne)
        return payout

    def approved(self, initiative: Initiative | None = None, by: Account | None = None, **changes: Any) -> Payout:
        """Finance approved it."""
        payout = self.confirmed(initiative, **changes)
        self.approve(payout, by or self.frits)
        return payout

    def exported(self, initiative: Initiative | None = None, **changes: Any) -> Payout:
        """It stands in a file for the bank that was released."""
        payout = self.approved(initiative, **changes)
        self.export(payout)
        return payout

    def paid(self, initiative: Initiative | None = None, **changes: Any) -> Payout:
        """The bank paid it."""
        payout = self.exported(initiative, **changes)
        approving.mark_paid(self.factory.session, payout.id, paid_on=self.today, actor=TEST_ACTOR, now=self.factory.now)
        return payout

    def in_state(self, state: PayoutState) -> Payout:
        """A payout in some state."""
        session, now = self.factory.session, self.factory.now
        if state == S.INCOMPLETE:
            payout = self.requested()
            approving.send_back(session, payout.id, "De naam mist.", version=1, user=self.user(self.sanne), now=now)
        elif state == S.REFUSED:
            payout = self.requested()
            service.refuse_living(session, payout.initiative_id, reason="Gestopt.", actor=TEST_ACTOR, now=now)
        elif state == S.BOUNCED:
            payout = self.paid()
            approving.mark_bounced(session, payout.id, reason="Onbekend.", actor=TEST_ACTOR, now=now)
        else:
            payout = getattr(self, state.value)()
        session.flush()
        assert payout.state == state
        return payout

    def confirm(self, payout: Payout, by: Account, version: int = 1) -> None:
        """Confirm it as somebody."""
        approving.confirm(self.factory.session, payout.id, version=version, user=self.user(by), now=self.factory.now)

    def approve(self, payout: Payout, by: Account, version: int = 1) -> None:
        """Approve it as somebody."""
        approving.approve(self.factory.session, payout.id, version=version, user=self.user(by), now=self.factory.now)

    def correct(self, payout: Payout, version: int = 1, **changes: Any) -> bool:
        """The initiator changes something."""
        return service.correct(
            self.factory.session,
            payout.id,
            details(**changes),
            version=version,
            user=self.user(self.initiator(payout)),
            secret_key=SECRET_KEY,
            now=self.factory.now,
        )

    def export(self, payout: Payout, state: str = "released") -> PayoutBatch:
        """Put it into a file."""
        session, now = self.factory.session, self.factory.now
        batch = PayoutBatch(
            message_id=f"TEST-{payout.id}",
            state=state,
            payout_count=1,
            sum_cents=payout.amount_cents,
            execution_on=self.today,
            sealed_file=b"-",
            sha256="0" * 64,
            made_at=now,
            made_by_id=self.frits.id,
            released_at=now if state == "released" else None,
            released_by_id=self.fatou.id if state == "released" else None,
        )
        session.add(batch)
        session.flush()
        payout.state, payout.batch_id = S.EXPORTED.value, batch.id
        session.flush()
        return batch

    @property
    def today(self) -> dt.date:
        """The day of all this."""
        return local_date(self.factory.now)

    def fresh(self, payout_id: int) -> Payout:
        """The payout as the database has it now."""
        return self.factory.session.get_one(Payout, payout_id, populate_existing=True)

    def kinds(self, subject: str, subject_id: int) -> list[str]:
        """The kinds of what happened to something."""
        query = select(Event.kind).where(Event.subject == subject, Event.subject_id == subject_id)
        return [kind.partition(".")[2] for kind in self.factory.session.scalars(query.order_by(Event.id))]
