# SPDX-License-Identifier: EUPL-1.2
"""Organisers with codes on paper, entered as the edge does it, in the transaction of the test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select

from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails
from abs_platform.initiatives.models import Initiative
from abs_platform.municipality import Rules
from abs_platform.paper.entering import Answer, enter
from abs_platform.paper.models import EntryBatch
from abs_platform.paper.service import batch_for
from abs_platform.paper.states import EntryOutcome
from abs_platform.vouchers.codes import read_code
from tests.factories import TEST_ACTOR, Factory


@dataclass
class Paper:
    """Enters codes for an initiative; a batch is large after three."""

    factory: Factory
    initiative: Initiative
    account_id: int
    large: int = 3

    @property
    def rules(self) -> Rules:
        """The numbers, with a smaller large batch."""
        return replace(self.factory.rules, large_batch_codes=self.large)

    def enter(
        self,
        codes: Iterable[str],
        *,
        account_id: int | None = None,
        box_id: int | None = None,
        now: dt.datetime | None = None,
    ) -> list[Answer]:
        """Enter these codes in the batch of this sitting."""
        factory, who, moment = self.factory, account_id or self.account_id, now or self.factory.now
        batch_id = batch_for(factory.session, self.initiative.id, who, box_id=box_id, now=moment)
        return enter(
            factory.session,
            batch_id,
            [read_code(code) for code in codes],
            keys=factory.keys,
            key=who.to_bytes(16),
            rules=self.rules,
            actor=TEST_ACTOR,
            now=moment,
        )

    def outcomes(self, codes: Iterable[str], **options: object) -> list[EntryOutcome]:
        """What became of each."""
        return [answer.outcome for answer in self.enter(codes, **options)]  # type: ignore[arg-type]

    def batch(self) -> EntryBatch:
        """The newest batch, as the database has it now."""
        query = select(EntryBatch).order_by(EntryBatch.id.desc()).limit(1)
        return self.factory.session.scalars(query.execution_options(populate_existing=True)).one()

    def gift(self, code: str) -> Donation | None:
        """The gift of a code that stands."""
        voucher = self.factory.voucher(code)
        query = select(Donation).where(Donation.voucher_id == voucher.id, Donation.state == "confirmed")
        return self.factory.session.scalars(query.execution_options(populate_existing=True)).one_or_none()

    def given_online(self, code: str) -> None:
        """Its household gives it itself."""
        assert self.factory.give(code, self.initiative, GiftDetails()) is not None


def paper_of(factory: Factory, *, target_cents: int = 500_000, large: int = 3) -> Paper:
    """An initiative that collects, and somebody who enters codes for it."""
    return Paper(factory, factory.initiative(target_cents=target_cents), factory.account().id, large)
