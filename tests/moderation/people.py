# SPDX-License-Identifier: EUPL-1.2
"""Makes the people around a desk, and what lies on it, through the real verbs."""

from __future__ import annotations

import contextvars
import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from abs_platform.accounts.models import Absence, Account
from abs_platform.accounts.queries import user_of_session
from abs_platform.accounts.service import digest
from abs_platform.events import Event
from abs_platform.initiatives import changing, content
from abs_platform.initiatives.models import Initiative, Organiser, Proposal, Revision
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.states import RevisionKind
from abs_platform.initiatives.subjects import subject_of
from abs_platform.moderation import deciding
from abs_platform.moderation.letters import Choice
from abs_platform.moderation.models import Decision, DecisionDraft
from abs_platform.moderation.states import DecisionKind
from abs_platform.outbox import OutgoingMail
from abs_platform.users import Role, User
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.page import Browser

# Two districts and a neighbourhood of the first.
HERE, ELSEWHERE, CITY = "WK014119", "WK014118", "GM0141"
NEIGHBOURHOOD = "BU01411900"
Kind = DecisionKind


@dataclass
class Desk:
    """``sanne`` decides here, ``tom`` with her; ``els`` works elsewhere, ``carla`` coordinates, ``frits`` pays out."""

    app: Flask
    factory: Factory
    browser: Browser
    _tokens: dict[int, str] = field(default_factory=dict)

    @cached_property
    def sanne(self) -> Account:
        """A wijkregisseur of this desk."""
        return self.manager("sanne@gemeente.example", "Sanne de Boer", HERE)

    @cached_property
    def tom(self) -> Account:
        """Another wijkregisseur of this desk."""
        return self.manager("tom@gemeente.example", "Tom Jansen", HERE)

    @cached_property
    def els(self) -> Account:
        """A wijkregisseur of another district."""
        return self.manager("els@gemeente.example", "Els Bakker", ELSEWHERE)

    @cached_property
    def carla(self) -> Account:
        """The coordinator."""
        return self.factory.account("carla@gemeente.example", name="Carla Smit", roles=(Role.COORDINATOR,))

    @cached_property
    def frits(self) -> Account:
        """Finance."""
        return self.factory.account("frits@gemeente.example", name="Frits Vos", roles=(Role.FINANCE,))

    @cached_property
    def stranger(self) -> Account:
        """A resident who has nothing to do with it."""
        return self.factory.account("vreemd@voorbeeld.example", name="Vera Vreemd")

    def manager(self, email: str, name: str, *desks: str) -> Account:
        """A wijkregisseur of these desks."""
        return self.factory.account(email, name=name, roles=(Role.DISTRICT_MANAGER,), desks=desks)

    def away(self, who: Account, stand_in: Account, days: int = 3) -> None:
        """Somebody is absent from yesterday on, and another stands in."""
        today = self.factory.now.date()
        self.factory.session.add(
            Absence(
                account_id=who.id,
                stand_in_id=stand_in.id,
                starts_on=today - dt.timedelta(days=1),
                ends_on=today + dt.timedelta(days=days),
            )
        )
        self.factory.session.flush()

    def token(self, account: Account) -> str:
        """The token of a session of this person."""
        if account.id not in self._tokens:
            self._tokens[account.id] = self.factory.session_of(account)
            self.factory.session.commit()
        return self._tokens[account.id]

    def user(self, account: Account) -> User:
        """This person as permissions see it today."""
        token = self.token(account)
        session = self.factory.session
        found = user_of_session(session, token, digest(SECRET_KEY, "session", token), now=self.factory.now)
        assert found is not None
        return found

    def as_(self, account: Account) -> Browser:
        """The browser, signed in as this person."""
        token = self.token(account)
        self.factory.session.commit()
        return self.browser.sign_in(token)

    def ask(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request as whoever is signed in, whatever comes back; in a context of its own, as the browser does."""
        return contextvars.Context().run(self.browser.client.open, path, method=method, **options)

    def initiator(self, initiative: Initiative) -> Account:
        """The account of the initiator."""
        return self.organiser(initiative, "initiator")

    def organiser(self, initiative: Initiative, role: str = "co_organiser") -> Account:
        """The account of an organiser with this role."""
        session = self.factory.session
        query = select(Organiser).where(Organiser.initiative_id == initiative.id, Organiser.role == role)
        found = session.scalars(query.order_by(Organiser.id)).first()
        assert found is not None
        existing = session.scalar(select(Account).where(Account.email == found.email))
        account = existing or self.factory.account(found.email, name=f"{found.name} Achternaam")
        if role == "initiator":
            found.account_id = account.id
        session.flush()
        return account

    def submitted(self, **options: Any) -> Initiative:
        """An initiative that waits here, with the revision that sending it keeps."""
        return self.initiative(State.SUBMITTED, **options)

    def initiative(self, state: State, **options: Any) -> Initiative:
        """An initiative of this district in some state, with the revision of its text."""
        made = self.factory.initiative(state, **options)
        self.keep_revision(made, made.submitted_at or made.created_at)
        return made

    def keep_revision(
        self, initiative: Initiative, made_at: dt.datetime, kind: RevisionKind = RevisionKind.SUBMITTED, **changed: Any
    ) -> None:
        """Keep what an initiative says now, with some parts as if they were different."""
        session = self.factory.session
        text = content.content_of(session, initiative) | changed
        numbers = session.scalars(select(Revision.number).where(Revision.initiative_id == initiative.id)).all()
        session.add(
            Revision(
                initiative_id=initiative.id,
                number=max(numbers, default=0) + 1,
                kind=kind.value,
                content=text,
                made_at=made_at,
            )
        )
        session.flush()

    def send_change(self, initiative: Initiative, **changed: Any) -> None:
        """The organisers send a change of what givers relied on."""
        session = self.factory.session
        text = content.content_of(session, initiative) | changed
        session.add(
            Proposal(initiative_id=initiative.id, content=text, changed_in={}, version=1, saved_at=self.factory.now)
        )
        session.flush()
        changing.send_change(
            session,
            initiative,
            session.get_one(Proposal, initiative.id),
            rules=self.factory.rules,
            account_id=None,
            actor=TEST_ACTOR,
            now=self.factory.now,
        )

    def draft(
        self, initiative: Initiative, kind: Kind, reason: str = "", by: Account | None = None, to: str | None = None
    ) -> None:
        """Write a decision without sending it."""
        choice = Choice(kind=kind, reason=reason, to_area_id=self.factory.area_id(to) if to else None)
        user = self.user(by or self.sanne)
        deciding.keep_draft(self.factory.session, initiative.id, choice, user=user, now=self.factory.now)

    def decide(
        self, initiative: Initiative, kind: Kind, reason: str = "Zomaar.", by: Account | None = None, **options: Any
    ) -> Decision:
        """Write a decision, look at its mail, and send it."""
        self.draft(initiative, kind, reason, by, **options)
        return self.give(initiative, self.user(by or self.sanne), self.factory.now)

    def give(self, initiative: Initiative, user: User, now: dt.datetime) -> Decision:
        """Send the draft as its mail is now."""
        session, rules = self.factory.session, self.factory.rules
        prepared = deciding.prepare(session, initiative.id, user=user, rules=rules, now=now)
        assert prepared is not None
        return deciding.give(
            session, initiative.id, shown=prepared.letter.digest, is_sure=True, user=user, rules=rules, now=now
        )

    def mails(self, kind: str = "") -> list[OutgoingMail]:
        """What was queued, of one kind of event or of all."""
        query = select(OutgoingMail).where(OutgoingMail.event.startswith(kind)).order_by(OutgoingMail.id)
        return list(self.factory.session.scalars(query.execution_options(populate_existing=True)))

    def decisions(self, initiative: Initiative) -> list[Decision]:
        """What was decided about an initiative."""
        query = select(Decision).where(Decision.initiative_id == initiative.id).order_by(Decision.id)
        return list(self.factory.session.scalars(query.execution_options(populate_existing=True)))

    def drafts(self, initiative: Initiative) -> list[DecisionDraft]:
        """What is being written about an initiative."""
        query = select(DecisionDraft).where(DecisionDraft.initiative_id == initiative.id)
        return list(self.factory.session.scalars(query.execution_options(populate_existing=True)))

    def events(self, initiative: Initiative) -> list[str]:
        """The kinds of what happened to it."""
        query = select(Event.kind).where(Event.subject == "initiative", Event.subject_id == initiative.id)
        return list(self.factory.session.scalars(query.order_by(Event.id)))

    def state(self, initiative: Initiative) -> State:
        """The state as the database has it."""
        return subject_of(self.factory.session, initiative.id).state
