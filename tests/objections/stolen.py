# SPDX-License-Identifier: EUPL-1.2
"""Vouchers given by somebody else, objected to by who holds the code, and decided about, by the real verbs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from abs_platform.donations.models import Donation
from abs_platform.donations.service import Gift, GiftDetails
from abs_platform.initiatives.models import Initiative
from abs_platform.objections import service
from abs_platform.objections.models import Objection
from abs_platform.objections.queries import Whereabouts
from abs_platform.vouchers.codes import read_code
from abs_platform.vouchers.redeeming import Answer, Client
from tests.factories import TEST_ACTOR, Factory

HOLDER = Client(b"h" * 16, b"y" * 16)
WEEK = dt.timedelta(days=7)


@dataclass
class Stolen:
    """One voucher and the initiative that it is given to."""

    factory: Factory
    initiative: Initiative
    code: str = field(init=False)

    def __post_init__(self) -> None:
        self.code = self.factory.fresh_codes(1)[0]

    def give(self, details: GiftDetails | None = None) -> Gift:
        """Somebody gives it."""
        gift = self.factory.give(self.code, self.initiative, details)
        assert gift is not None
        return gift

    def look(self, code: str | None = None, *, now: dt.datetime | None = None) -> Answer[Whereabouts]:
        """Who holds the code asks where it went."""
        return self._ask(service.look_for, code, now)

    def found(self) -> Whereabouts:
        """Where it is now."""
        found = self.look().found
        assert found is not None
        return found

    def object(self, code: str | None = None, *, now: dt.datetime | None = None) -> Answer[Whereabouts]:
        """Who holds the code says: that was not me."""
        return self._ask(service.object_to, code, now)

    def _ask(self, verb: Any, code: str | None, now: dt.datetime | None) -> Answer[Whereabouts]:
        factory = self.factory
        options = {"keys": factory.keys, "rules": factory.rules, "now": now or factory.now}
        answer: Answer[Whereabouts] = verb(factory.session, read_code(code or self.code), HOLDER, **options)
        return answer

    def objection(self) -> Objection:
        """The newest objection, as the database has it now."""
        query = select(Objection).order_by(Objection.id.desc()).limit(1)
        return self.factory.session.scalars(query.execution_options(populate_existing=True)).one()

    def gift(self) -> Donation:
        """The newest gift of its voucher, as the database has it now."""
        query = select(Donation).where(Donation.voucher_id == self.factory.voucher(self.code).id)
        query = query.order_by(Donation.id.desc()).limit(1)
        return self.factory.session.scalars(query.execution_options(populate_existing=True)).one()

    def decide(self, verb: Any, *, reason: str = "De lijst klopt niet.", now: dt.datetime | None = None) -> None:
        """Uphold or reject the newest objection, as somebody of the desk."""
        account_id = self.factory.account(name="Sanne").id
        verb(
            self.factory.session,
            self.objection().id,
            reason=reason,
            account_id=account_id,
            actor=TEST_ACTOR,
            now=now or self.factory.now,
        )
