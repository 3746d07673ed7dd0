# SPDX-License-Identifier: EUPL-1.2
"""Issuing: one voucher for each eligible household, whole and booked or not at all, and nobody two."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from abs_platform.clock import local_date
from abs_platform.database import Base
from abs_platform.errors import Conflict, NotFound
from abs_platform.events import Event
from abs_platform.ledger.models import LedgerPosting, LedgerTransaction
from abs_platform.ledger.queries import check
from abs_platform.rounds.models import Round
from abs_platform.vouchers import issuing
from abs_platform.vouchers.codes import CodeKeys, read_code
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.models import Voucher, VoucherBatch
from abs_platform.vouchers.service import revoke_voucher
from tests.factories import TEST_ACTOR, Factory

DAY = dt.timedelta(days=1)


def households_with_a_voucher(session: Session, round_: Round) -> Counter[int | None]:
    return Counter(session.scalars(select(Voucher.household_id).where(Voucher.round_id == round_.id)))


def count(session: Session, model: type[Base]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def test_every_household_of_the_round_gets_one_voucher(session: Session, factory: Factory) -> None:
    households = factory.households(7)
    round_ = factory.round()

    report = issue_vouchers(session, round_.id, keys=factory.keys, actor=TEST_ACTOR, now=factory.now)

    assert report.voucher_count == 7
    assert households_with_a_voucher(session, round_) == {household.id: 1 for household in households}
    batch = session.scalars(select(VoucherBatch)).one()
    assert (batch.id, batch.voucher_count, batch.issued_at) == (report.batch_id, 7, factory.now)
    assert round_.state == "issued"
    assert round_.key_fingerprint == factory.keys.fingerprint
    event = session.scalars(select(Event).where(Event.kind == "round.vouchers_issued")).one()
    assert (event.subject_id, event.details) == (round_.id, {"batch": batch.id, "vouchers": 7})


def test_only_districts_of_the_round_take_part(session: Session, factory: Factory) -> None:
    windmolenbroek = factory.households(2, area="BU01411900")
    also_there = factory.households(1, area="BU01411909")
    factory.households(3, area="BU01411800")
    round_ = factory.round(districts=("WK014119",))

    factory.issue(round_)

    assert households_with_a_voucher(session, round_) == {h.id: 1 for h in [*windmolenbroek, *also_there]}


def test_an_ended_address_gets_none(session: Session, factory: Factory) -> None:
    lived_in, ended = factory.households(2)
    ended.ended_on = local_date(factory.now)
    round_ = factory.round()

    factory.issue(round_)

    assert households_with_a_voucher(session, round_) == {lived_in.id: 1}


def test_addresses_that_came_later_get_theirs_with_the_next_run(session: Session, factory: Factory) -> None:
    factory.households(3)
    round_ = factory.round()
    factory.issue(round_)
    late = factory.households(2)

    report = issue_vouchers(session, round_.id, keys=factory.keys, actor=TEST_ACTOR, now=factory.now + DAY)

    assert report.voucher_count == 2
    in_second_batch = select(Voucher.household_id).where(Voucher.batch_id == report.batch_id)
    assert set(session.scalars(in_second_batch)) == {household.id for household in late}
    assert max(households_with_a_voucher(session, round_).values()) == 1
    assert check(session) == []


def test_a_second_run_changes_nothing(session: Session, factory: Factory) -> None:
    factory.households(3)
    round_ = factory.round()
    factory.issue(round_)
    session.flush()
    tables = (Voucher, VoucherBatch, LedgerTransaction, LedgerPosting, Event)
    before = [count(session, table) for table in tables]

    report = issue_vouchers(session, round_.id, keys=factory.keys, actor=TEST_ACTOR, now=factory.now)

    assert (report.voucher_count, report.batch_id) == (0, None)
    assert [count(session, table) for table in tables] == before


def test_a_round_without_households_is_issued_and_empty(session: Session, factory: Factory) -> None:
    round_ = factory.round(districts=("Aadorp",))
    factory.households(2, area="BU01411900")

    factory.issue(round_)

    assert round_.state == "issued"
    assert count(session, Voucher) == count(session, VoucherBatch) == 0
    assert check(session) == []


@pytest.mark.parametrize("households", [1, 5, 6, 7, 12, 13])
def test_chunks_and_blocks_lose_nobody_at_their_edges(
    session: Session, factory: Factory, monkeypatch: pytest.MonkeyPatch, households: int
) -> None:
    monkeypatch.setattr(issuing, "CHUNK", 6)
    monkeypatch.setattr(issuing, "ROWS_A_WRITE", 4)
    expected = {household.id: 1 for household in factory.households(households)}
    round_ = factory.round()
    steps: list[int] = []

    issue_vouchers(session, round_.id, keys=factory.keys, actor=TEST_ACTOR, now=factory.now, on_progress=steps.append)

    assert households_with_a_voucher(session, round_) == expected
    assert sum(steps) == households


def test_the_money_is_booked_with_the_vouchers(session: Session, factory: Factory) -> None:
    factory.households(4)
    round_ = factory.round()

    factory.issue(round_)

    postings = session.execute(select(LedgerPosting.account, LedgerPosting.round_id, LedgerPosting.amount_cents))
    assert sorted(postings.all()) == [("budget", round_.id, -3_000), ("vouchers", round_.id, 3_000)]
    assert check(session) == []


@pytest.mark.parametrize("what_fails", ["book_vouchers", "mark_issued"])
def test_nothing_stays_when_issuing_fails_half_way(
    session: Session, factory: Factory, monkeypatch: pytest.MonkeyPatch, what_fails: str
) -> None:
    factory.households(3)
    round_ = factory.round()

    def fail(*_args: object, **_kwargs: object) -> None:
        assert count(session, Voucher) == 3
        raise RuntimeError("the power went")

    monkeypatch.setattr(issuing, what_fails, fail)
    with pytest.raises(RuntimeError), session.begin_nested():
        factory.issue(round_)

    assert count(session, Voucher) == count(session, VoucherBatch) == count(session, LedgerTransaction) == 0
    session.refresh(round_)
    assert round_.state == "planned"


def test_two_vouchers_with_one_code_cannot_be(
    session: Session, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.households(2)
    round_ = factory.round()

    with monkeypatch.context() as patched:
        patched.setattr("abs_platform.vouchers.issuing.os.urandom", lambda size: b"n" * size)
        with pytest.raises(psycopg.errors.UniqueViolation), session.begin_nested():
            factory.issue(round_)

    assert count(session, Voucher) == 0
    assert factory.issue(round_) == 2


def test_the_digest_is_of_the_code_that_is_printed(session: Session, factory: Factory) -> None:
    factory.households(5)
    factory.issue(factory.round())

    for nonce, digest in session.execute(select(Voucher.nonce, Voucher.code_digest)):
        assert factory.keys.digest(read_code(factory.keys.code(nonce))) == digest


def found_in_database(session: Session, *wanted: bytes | str) -> set[str]:
    """The tables in which some row holds one of these, as text or as bytes."""
    tables = session.scalars(
        text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    ).all()
    patterns = [f"%{value.hex() if isinstance(value, bytes) else value}%" for value in wanted]
    return {
        table
        for table in tables
        if session.scalar(
            text(f'SELECT count(*) FROM "{table}" AS t WHERE t::text ILIKE ANY (:patterns)'), {"patterns": patterns}
        )
    }


def test_no_column_of_any_table_holds_a_code(session: Session, factory: Factory) -> None:
    given, kept_at_home = factory.codes(2)
    initiative = factory.initiative()

    factory.give(given, initiative)
    session.flush()

    for code in (given, kept_at_home):
        bare = code.replace("-", "")
        bits = read_code(code)
        ways = (code, bare, code.encode(), bare.encode(), bits.to_bytes(7), str(bits))
        assert found_in_database(session, *ways) == set()
        assert found_in_database(session, factory.digest(code)) == {"vouchers"}  # the search does find


@pytest.mark.parametrize(
    ("at", "change", "says"),
    [
        pytest.param(-6 * DAY, {}, "niet eerder", id="too early"),
        pytest.param(21 * DAY, {}, "gesloten", id="past its closing"),
        pytest.param(0 * DAY, {"state": "closed"}, "gesloten", id="closed"),
        pytest.param(0 * DAY, {"state": "draft"}, "concept", id="draft"),
        pytest.param(0 * DAY, {"state": "issued", "key_fingerprint": b"another key....."}, "ABS_VOUCHER_KEY", id="key"),
    ],
)
def test_a_round_that_is_not_due_is_refused(
    session: Session, factory: Factory, at: dt.timedelta, change: dict[str, object], says: str
) -> None:
    factory.households(1)
    round_ = factory.round(opens=dt.timedelta(0))
    for name, value in change.items():
        setattr(round_, name, value)
    session.flush()

    with pytest.raises(Conflict, match=says):
        issue_vouchers(session, round_.id, keys=factory.keys, actor=TEST_ACTOR, now=factory.now + at)

    assert count(session, Voucher) == 0


def test_a_changed_key_cannot_add_vouchers_to_a_round(session: Session, factory: Factory) -> None:
    factory.households(1)
    round_ = factory.round()
    factory.issue(round_)
    factory.households(1)
    other = CodeKeys.derive(b"another voucher key, as long as a real one is")

    with pytest.raises(Conflict, match="ABS_VOUCHER_KEY"):
        issue_vouchers(session, round_.id, keys=other, actor=TEST_ACTOR, now=factory.now)

    assert count(session, Voucher) == 1


def test_an_unknown_round_is_told(session: Session, factory: Factory) -> None:
    with pytest.raises(NotFound):
        issue_vouchers(session, 999_999, keys=factory.keys, actor=TEST_ACTOR, now=factory.now)


def test_a_revoked_voucher_gets_a_new_one_and_its_code_is_dead(session: Session, factory: Factory) -> None:
    (lost,) = factory.codes()
    voucher = factory.voucher(lost)
    round_ = session.get_one(Round, voucher.round_id)

    revoke_voucher(session, voucher.id, reason="De brief is zoek.", actor=TEST_ACTOR, now=factory.now)
    report = issue_vouchers(session, round_.id, keys=factory.keys, actor=TEST_ACTOR, now=factory.now)

    assert report.voucher_count == 1
    new = session.scalars(select(Voucher).where(Voucher.batch_id == report.batch_id)).one()
    assert new.household_id == voucher.household_id
    new_code, initiative = factory.keys.code(new.nonce), factory.initiative()
    assert new_code != lost
    assert factory.give(lost, initiative) is None
    assert factory.give(new_code, initiative) is not None
    assert factory.issue(round_, factory.now) == 0
    assert check(session) == []
