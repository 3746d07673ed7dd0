# SPDX-License-Identifier: EUPL-1.2
"""Everything that a round needs before it may be issued."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from abs_platform.areas.models import Area, HelpPoint
from abs_platform.households.models import AddressImport
from abs_platform.job_runs import ScheduledJob
from abs_platform.letters.content import default_content
from abs_platform.letters.models import LetterText
from abs_platform.letters.queries import approved_text_id
from abs_platform.municipality import Municipality
from abs_platform.rounds.models import Round, YearBudget
from tests.factories import Factory


def make_ready(factory: Factory, round_: Round, *, addresses_days_old: int = 1) -> None:
    """Fresh addresses, an approved text, a budget, help in every district, and a job process that lives."""
    session, now = factory.session, factory.now
    addresses_read(factory, addresses_days_old)
    if approved_text_id(session) is None:
        by_id = factory.account(name="Beheerder").id
        session.add(
            LetterText(
                version=1,
                content=default_content(Municipality.load("almelo")).dump(),
                made_at=now,
                made_by_id=by_id,
                approved_at=now,
                approved_by_id=by_id,
            )
        )
    session.merge(YearBudget(year=round_.issue_on.year, amount_cents=100_000_000))
    for district_id in session.scalars(select(Area.id).where(Area.level == "district")):
        session.merge(
            HelpPoint(district_id=district_id, name="Huis", address="Plein 1", opening_hours="9 tot 12", phone="0546")
        )
    jobs_seen(factory, now)
    session.flush()


def addresses_read(factory: Factory, days_old: int) -> None:
    """An address file that was read so many days ago."""
    counts = ("new_count", "changed_count", "gone_count", "unchanged_count", "rejected_count", "skipped_count")
    factory.session.add(
        AddressImport(
            imported_at=factory.now - dt.timedelta(days=days_old),
            actor="test",
            bag_file="bag.csv",
            bag_edition="2026-10",
            bag_sha256="0" * 64,
            key_edition=2024,
            key_sha256="0" * 64,
            **dict.fromkeys(counts, 0),
        )
    )


def jobs_seen(factory: Factory, at: dt.datetime) -> None:
    """A job process that gave a sign of life then."""
    wanted = insert(ScheduledJob).values(job="issue_vouchers", schedule="daily", seen_at=at)
    factory.session.execute(wanted.on_conflict_do_update(index_elements=["job"], set_={"seen_at": at}))
