# SPDX-License-Identifier: EUPL-1.2
"""A round closed early, given more time, or cancelled: the books are right, and the other vouchers keep their end."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.errors import Conflict, InvalidInput, InvalidTransition, RoundOverlaps
from abs_platform.ledger.queries import check
from abs_platform.paper.models import EntryBatch, WaitingEntry
from abs_platform.rounds.changing import cancel_round
from abs_platform.rounds.ending import close_early, extend_round, would_expire
from abs_platform.rounds.models import Round, RoundDistrict
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.models import Voucher
from tests.factories import TEST_ACTOR, Factory

DAY = dt.timedelta(days=1)


@pytest.fixture
def open_round(session: Session, factory: Factory) -> Round:
    """An open round with four vouchers: one given, one kept, one that came back to life, one untouched."""
    codes = factory.codes(4)
    round_ = session.scalars(select(Round)).one()
    given, kept, revived = (factory.voucher(code) for code in codes[:3])
    assert factory.give(codes[0], factory.initiative())
    kept.state, kept.kept_at, kept.usable_until = "kept", factory.now, round_.closes_at + 365 * DAY
    revived.usable_until = factory.now + 60 * DAY
    session.flush()
    session.expire(given)
    return round_


def states_of(factory: Factory) -> list[str]:
    factory.session.expire_all()
    return list(factory.session.scalars(select(Voucher.state).order_by(Voucher.id)))


def close(factory: Factory, round_: Round, reason: str = "Het geld is op.") -> int:
    return close_early(factory.session, round_.id, reason=reason, actor=TEST_ACTOR, now=factory.now).vouchers


def extend(factory: Factory, round_: Round, by: dt.timedelta, reason: str = "De post was laat.") -> None:
    extend_round(factory.session, round_.id, round_.closes_at + by, reason=reason, actor=TEST_ACTOR, now=factory.now)


def test_closing_early_ends_what_has_no_end_of_its_own_and_books_it_back(
    session: Session, factory: Factory, open_round: Round
) -> None:
    said = would_expire(session, open_round, factory.now)

    assert close(factory, open_round) == said.vouchers == 1

    assert said.amount_cents == 750
    assert states_of(factory) == ["given", "kept", "issued", "expired"]
    assert (open_round.state, open_round.closes_at, open_round.closed_at) == ("closed", factory.now, factory.now)
    assert set(session.scalars(select(RoundDistrict.closes_at))) == {factory.now}
    assert check(session) == []
    with pytest.raises(Conflict, match="niet open"):
        close(factory, open_round)


def test_what_waits_for_a_wijkregisseur_outlives_a_round_that_is_closed_early(
    session: Session, factory: Factory, open_round: Round
) -> None:
    untouched = session.scalars(select(Voucher).order_by(Voucher.id.desc())).first()
    initiative_id = session.scalars(select(Donation.initiative_id)).one()
    assert untouched is not None
    batch = EntryBatch(
        reference="K7M2QX",
        initiative_id=initiative_id,
        began_at=factory.now,
        state="waiting",
        waiting_since=factory.now,
        waits_until=factory.now + 2 * DAY,
    )
    session.add(batch)
    session.flush()
    session.add(WaitingEntry(batch_id=batch.id, voucher_id=untouched.id, entered_at=factory.now))
    session.flush()

    said = would_expire(session, open_round, factory.now)

    assert close(factory, open_round) == said.vouchers == 0
    assert states_of(factory) == ["given", "kept", "issued", "issued"]
    assert session.get_one(Voucher, untouched.id).usable_until == factory.now + 3 * DAY
    assert check(session) == []


def test_only_an_open_round_is_closed_early_and_with_a_reason(factory: Factory, open_round: Round) -> None:
    with pytest.raises(InvalidInput):
        close(factory, open_round, reason=" ")
    coming = factory.round(opens=100 * DAY, closes=120 * DAY)
    with pytest.raises(Conflict, match="niet open"):
        close(factory, coming)

    assert "expired" not in states_of(factory)


def test_more_time_is_more_time_for_kept_and_revived_vouchers_too(factory: Factory, open_round: Round) -> None:
    extend(factory, open_round, 50 * DAY)

    ends = factory.session.scalars(
        select(Voucher.usable_until).where(Voucher.usable_until.is_not(None)).order_by(Voucher.id)
    ).all()
    assert ends == [open_round.closes_at + 365 * DAY, open_round.closes_at]
    assert set(factory.session.scalars(select(RoundDistrict.closes_at))) == {open_round.closes_at}
    assert check(factory.session) == []


def test_a_round_is_not_extended_into_another_or_back(factory: Factory, open_round: Round) -> None:
    factory.round(name="De volgende", opens=30 * DAY, closes=60 * DAY)
    before = open_round.closes_at

    with pytest.raises(RoundOverlaps, match="De volgende"):
        extend(factory, open_round, 20 * DAY)
    with pytest.raises(InvalidInput, match="na de sluitdag"):
        extend(factory, open_round, -DAY)
    with pytest.raises(InvalidInput):
        extend(factory, open_round, DAY, reason="")
    extend(factory, open_round, 5 * DAY)
    close(factory, open_round)
    with pytest.raises(Conflict):
        extend(factory, open_round, DAY)

    assert open_round.closes_at < before


def test_a_cancelled_round_gets_no_vouchers_and_leaves_its_dates_to_another(session: Session, factory: Factory) -> None:
    round_ = factory.round(name="Najaar", opens=3 * DAY, closes=20 * DAY)

    with pytest.raises(InvalidInput):
        cancel_round(session, round_.id, reason="", actor=TEST_ACTOR, now=factory.now)
    cancel_round(session, round_.id, reason="Uitgesteld.", actor=TEST_ACTOR, now=factory.now)

    with pytest.raises(Conflict, match="geannuleerd"):
        issue_vouchers(session, round_.id, keys=factory.keys, actor=TEST_ACTOR, now=factory.now)
    with pytest.raises(InvalidTransition):
        cancel_round(session, round_.id, reason="Nog eens.", actor=TEST_ACTOR, now=factory.now)
    again = factory.round(name="Najaar", opens=3 * DAY, closes=20 * DAY)
    assert factory.issue(again, at=factory.now) == 0
    with pytest.raises(InvalidTransition):
        cancel_round(session, again.id, reason="Te laat.", actor=TEST_ACTOR, now=factory.now)
