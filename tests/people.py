# SPDX-License-Identifier: EUPL-1.2
"""People around an initiative, each in a browser of their own: its organisers, residents, and staff of all kinds."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from abs_platform.accounts.models import Account
from abs_platform.donations.service import Gift, GiftDetails
from abs_platform.initiatives.models import Initiative, InitiativeNeed, Organiser
from abs_platform.initiatives.states import NeedKind
from abs_platform.outbox import OutgoingMail
from abs_platform.users import Role
from tests.factories import Factory
from tests.page import Browser

OWN_DESK, OTHER_DESK = "WK014119", "WK014118"  # the factory's initiatives are in the first


@dataclass
class People:
    """Makes accounts and lets them open pages."""

    app: Flask
    factory: Factory

    def browser(self, account: Account, *, has_second_factor: bool = True) -> Browser:
        """Somebody who is signed in."""
        token = self.factory.session_of(account, has_second_factor=has_second_factor)
        self.factory.session.commit()
        return Browser(self.app).sign_in(token)

    def organiser_account(self, initiative: Initiative, number: int = 0) -> Account:
        """The account of one of the organisers: 0 is the initiator, Anna."""
        organiser = self.factory.session.scalars(
            select(Organiser).where(Organiser.initiative_id == initiative.id).order_by(Organiser.id)
        ).all()[number]
        found = self.factory.session.scalar(select(Account).where(Account.email == organiser.email))
        if found is None:
            found = self.factory.account(organiser.email, name=organiser.name)
            organiser.account_id = found.id
            self.factory.session.flush()
        return found

    def organiser(self, initiative: Initiative, number: int = 0) -> Browser:
        """One of the organisers."""
        return self.browser(self.organiser_account(initiative, number))

    def resident(self, name: str = "Fatima") -> Browser:
        """Somebody from the neighbourhood."""
        return self.browser(self.factory.account(name=name))

    def manager(self, desk: str = OWN_DESK, name: str = "Sanne") -> Browser:
        """A wijkregisseur."""
        return self.browser(self.factory.account(name=name, roles=(Role.DISTRICT_MANAGER,), desks=(desk,)))

    def coordinator(self) -> Browser:
        """Who coordinates."""
        return self.browser(self.factory.account(name="Coen", roles=(Role.COORDINATOR,)))

    def finance(self) -> Browser:
        """Who pays out."""
        return self.browser(self.factory.account(name="Frits", roles=(Role.FINANCE,)))

    def giver(self, initiative: Initiative, email: str | None, *, name: str | None = None, message: str = "") -> Gift:
        """A gift of somebody who wants news when there is an address."""
        details = GiftDetails(giver_email=email, giver_name=name, message=message or None)
        gift = self.factory.give(self.factory.fresh_codes(1)[0], initiative, details)
        assert gift is not None
        return gift

    def need(self, initiative: Initiative, description: str = "Twee mensen met een schep") -> InitiativeNeed:
        """Something that an initiative asks for."""
        made = InitiativeNeed(
            initiative_id=initiative.id, position=1, kind=NeedKind.HANDS.value, description=description
        )
        self.factory.session.add(made)
        self.factory.session.flush()
        return made

    def mails(self, event: str = "") -> list[OutgoingMail]:
        """The mails that were queued about events that begin like this, as the database has them now."""
        self.factory.session.expire_all()
        query = select(OutgoingMail).where(OutgoingMail.event.startswith(event, autoescape=True))
        return list(self.factory.session.scalars(query.order_by(OutgoingMail.id)))
