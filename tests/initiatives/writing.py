# SPDX-License-Identifier: EUPL-1.2
"""People who write an initiative for tests: an initiator, two neighbours who said yes, and a small rules check."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts.models import Account
from abs_platform.initiatives import answering, inviting, proposals
from abs_platform.initiatives.inviting import Address
from abs_platform.initiatives.models import Initiative, Organiser, Proposal
from abs_platform.initiatives.states import Theme
from abs_platform.outbox import OutgoingMail
from abs_platform.rulebook.models import RuleAdvice, RuleQuestion
from abs_platform.users import User
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.page import Browser

WINDMOLENBROEK, SLUITERSVELD = "BU01411900", "BU01411300"
LINK = re.compile(r"/meedoen/([\w-]+)")
_serials = count(1)


def ask_two_questions(session: Session) -> None:
    """A rules check of two questions; one of the answers takes 60 days."""
    for position, key in enumerate(("closed_road", "music"), start=1):
        question = RuleQuestion(key=key, position=position, text=f"Vraag over {key}?")
        session.add(question)
        session.flush()
        session.add(
            RuleAdvice(
                question_id=question.id,
                answer="yes",
                position=1,
                kind="permit",
                title=f"Vraag {key} aan",
                explanation="Dat doe je bij de gemeente.",
                lead_days=60 if key == "closed_road" else 7,
                checklist_text="Is het aangevraagd?",
            )
        )
    session.flush()


def whole(factory: Factory, **changes: Any) -> dict[str, Any]:
    """All that must be filled in, as the steps would save it."""
    deadline = clock.local_date(factory.now) + dt.timedelta(days=90)
    return {
        "title": "Een bankje bij de vijver",
        "summary": "Een plek om te zitten.",
        "story": "We zetten **samen** een bankje neer.",
        "theme": Theme.MEETING.value,
        "area_id": factory.area_id(WINDMOLENBROEK),
        "place_description": "Bij de vijver",
        "latitude": 52.35671,
        "longitude": 6.66247,
        "audience": "Iedereen",
        "budget": [{"description": "Bankje", "amount_cents": 45_000}, {"description": "Verf", "amount_cents": 5_050}],
        "deadline_on": deadline.isoformat(),
        "planning": "In mei.",
        "needs": [{"kind": "hands", "description": "Vier mensen die schilderen"}],
        "rule_answers": {"closed_road": "no", "music": "unknown"},
    } | changes


@dataclass
class Writer:
    """Somebody who began an initiative."""

    factory: Factory
    account: Account
    initiative_id: int

    @property
    def session(self) -> Session:
        """Where all of this is."""
        return self.factory.session

    @property
    def initiative(self) -> Initiative:
        """The initiative as the database has it now."""
        return self.session.get_one(Initiative, self.initiative_id, populate_existing=True)

    @property
    def proposal(self) -> Proposal:
        """The working copy as the database has it now."""
        return proposals.working_copy(self.session, self.initiative_id)

    def save(self, version: int | None = None, **changes: Any) -> Proposal:
        """Keep something, with the newest version or a given one."""
        return proposals.save(
            self.session,
            self.initiative_id,
            changes,
            version=self.proposal.version if version is None else version,
            account_id=self.account.id,
            now=self.factory.now,
        )

    def send(self, now: dt.datetime | None = None) -> proposals.Sent:
        """Send it."""
        return proposals.send(
            self.session,
            self.initiative_id,
            rules=self.factory.rules,
            account_id=self.account.id,
            actor=TEST_ACTOR,
            now=now or self.factory.now,
        )

    def live_at(self, house_number: str = "1") -> None:
        """State the own address."""
        address = Address(name="Anna", postcode="7609AB", house_number=house_number, is_name_public=True)
        account_id, now = self.account.id, self.factory.now
        inviting.state_own_address(self.session, self.initiative_id, address, account_id=account_id, now=now)

    def invite(self, email: str, name: str = "Bram") -> Organiser:
        """Ask somebody."""
        return inviting.invite(
            self.session,
            self.initiative_id,
            name=name,
            email=email,
            secret_key=SECRET_KEY,
            actor=TEST_ACTOR,
            now=self.factory.now,
        )

    def accept(self, token: str, house_number: str, *, user: User | None = None) -> answering.Invitation:
        """Say yes behind a link."""
        address = Address(name="Bram", postcode="7609AB", house_number=house_number, is_name_public=True)
        return answering.accept(
            self.session,
            token,
            address,
            user=user,
            rules=self.factory.rules,
            secret_key=SECRET_KEY,
            actor=TEST_ACTOR,
            now=self.factory.now,
        )

    def token_to(self, email: str) -> str:
        """The token in the newest mail to somebody."""
        return token_to(self.session, email)

    def with_neighbours(self) -> Writer:
        """The own address, and two neighbours who said yes."""
        self.live_at("1")
        for number in ("2", "3"):
            email = f"buur{next(_serials)}@voorbeeld.example"
            self.invite(email, f"Buur {number}")
            self.accept(self.token_to(email), number)
        return self

    def browser(self, browser: Browser) -> Browser:
        """A browser in which this person is signed in."""
        token = self.factory.session_of(self.account)
        self.session.commit()
        return browser.sign_in(token)


def user_of(account: Account) -> User:
    """Who is signed in with this account."""
    return User(account_id=account.id, email=account.email or "", name=account.name)


def begin(factory: Factory, account: Account | None = None, title: str = "Een bankje bij de vijver") -> Writer:
    """An idea that somebody just began."""
    account = account or factory.account(name="Anna")
    made = proposals.start(
        factory.session, user_of(account), title=title, theme=Theme.MEETING, actor=TEST_ACTOR, now=factory.now
    )
    return Writer(factory, account, made.id)


def finish(factory: Factory, account: Account | None = None, **changes: Any) -> Writer:
    """An initiative in which nothing is missing any more."""
    writer = begin(factory, account)
    writer.save(**whole(factory, **changes))
    return writer.with_neighbours()


def token_to(session: Session, email: str) -> str:
    """The token in the newest mail to somebody."""
    mails = select(OutgoingMail.text_body).where(OutgoingMail.recipient == email).order_by(OutgoingMail.id.desc())
    found = LINK.search(session.scalars(mails.limit(1)).one() or "")
    assert found
    return found[1]


def mails_about(session: Session, event_prefix: str) -> list[str]:
    """Who was written to about something."""
    query = select(OutgoingMail.recipient).where(OutgoingMail.event.startswith(event_prefix, autoescape=True))
    return sorted(recipient or "" for recipient in session.scalars(query))
