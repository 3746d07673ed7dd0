# SPDX-License-Identifier: EUPL-1.2
"""The verbs of vouchers in any order: a household never has two in a round, and no verb brings a dead code to life."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.actors import GIVER
from abs_platform.database import db
from abs_platform.donations.service import GiftDetails
from abs_platform.donations.states import Channel
from abs_platform.errors import AbsError
from abs_platform.households.models import Household
from abs_platform.initiatives import service as initiatives
from abs_platform.ledger.queries import check
from abs_platform.objections.models import Objection
from abs_platform.objections.service import object_to, reject, uphold
from abs_platform.paper import service as paper
from abs_platform.paper.entering import enter
from abs_platform.paper.models import EntryBatch
from abs_platform.paper.service import batch_for
from abs_platform.replacements import returning
from abs_platform.replacements.queries import Address
from abs_platform.replacements.service import ask, print_requests
from abs_platform.replacements.states import ReturnReason
from abs_platform.reports.proving import prove
from abs_platform.rounds.ending import close_early, extend_round
from abs_platform.rounds.models import Round
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.keeping import give_kept, keep
from abs_platform.vouchers.models import KeptVoucher, Voucher
from abs_platform.vouchers.redeeming import Client, redeem
from abs_platform.vouchers.service import revoke_voucher
from jobs import book_entries, close_initiatives, expire_vouchers, purge_personal_data
from jobs.runner import JobReport
from tests.factories import TEST_ACTOR, Factory
from tests.letters.making import approved_text

STEPS = 200
DAY = dt.timedelta(days=1)

# Each must have no rows, whatever was done.
WRONG = {
    "two for one household in one round": """
        SELECT household_id, round_id FROM vouchers WHERE household_id IS NOT NULL AND state <> 'revoked'
        GROUP BY 1, 2 HAVING count(*) > 1""",
    "two gifts of one voucher": """
        SELECT voucher_id FROM donations WHERE state = 'confirmed' AND kind = 'voucher'
        GROUP BY 1 HAVING count(*) > 1""",
    "given and no gift, or a gift and not given": """
        SELECT v.id FROM vouchers v
        WHERE (v.state = 'given') <> EXISTS (
            SELECT FROM donations d WHERE d.voucher_id = v.id AND d.state = 'confirmed')""",
    "a gift outside the time of its round": """
        SELECT d.id FROM donations d JOIN vouchers v ON v.id = d.voucher_id JOIN rounds r ON r.id = v.round_id
        WHERE d.given_at < r.opens_at
           OR d.given_at > r.closes_at AND COALESCE(v.usable_until <= d.given_at, true) AND NOT EXISTS (
                SELECT FROM events e WHERE e.subject = 'voucher' AND e.subject_id = v.id
                AND e.kind IN ('voucher.kept', 'voucher.returned') AND e.happened_at <= d.given_at)""",
    "an end that nothing gave": """
        SELECT v.id FROM vouchers v JOIN rounds r ON r.id = v.round_id
        WHERE v.usable_until > GREATEST(
            CASE WHEN v.kept_at IS NULL THEN r.closes_at ELSE :latest + r.kept_valid_days * interval '1 day' END,
            :now + r.returned_valid_days * interval '1 day')""",
    "an open objection to a gift that is gone": """
        SELECT o.id FROM objections o JOIN donations d ON d.id = o.donation_id
        WHERE o.state = 'upheld' AND d.state = 'confirmed'""",
}


@dataclass
class Walk:
    """A small town, somebody who does anything, and what must never come back."""

    session: Session
    factory: Factory
    chance: random.Random
    accounts: list[int]
    staff: int
    now: dt.datetime
    dead: set[int] = field(default_factory=set)
    ever: dict[str, int] = field(default_factory=dict)
    latest: dt.datetime | None = None
    clients: int = 0

    def rounds(self) -> list[Round]:
        return list(self.session.scalars(select(Round).order_by(Round.id)))

    def any_round(self) -> int:
        return self.chance.choice(self.rounds()).id

    def any_code(self) -> int:
        """The bits of any code that was ever made, dead ones too; those of living rounds more often."""
        nonces = self.session.scalars(select(Voucher.nonce).order_by(Voucher.id.desc())).all()
        recent = nonces[: 2 * len(self.accounts) + 8]
        return self.factory.keys.payload(self.chance.choice(recent if self.chance.random() < 0.7 else nonces))

    def client(self) -> Client:
        self.clients += 1
        return Client(self.clients.to_bytes(16), b"y" * 16)

    def any_initiative(self) -> int:
        ids = self.session.scalars(text("SELECT id FROM initiatives WHERE state = 'published' ORDER BY id")).all()
        if len(ids) < 2:
            return self.factory.initiative(target_cents=self.chance.choice((5_000, 50_000))).id
        return self.chance.choice(ids)

    def trying(self) -> dict[str, object]:
        return {"keys": self.factory.keys, "rules": replace(self.factory.rules, large_batch_codes=2), "now": self.now}

    def job(self, run: Callable[[dt.datetime], JobReport]) -> None:
        """A job with sessions of its own on this connection: none of ours may be at work meanwhile."""
        self.session.commit()
        assert run(self.now).errors == []
        db.session.rollback()

    # The verbs.

    def issue(self) -> None:
        issue_vouchers(self.session, self.any_round(), keys=self.factory.keys, actor=TEST_ACTOR, now=self.now)

    def give(self) -> None:
        payload, target = self.any_code(), self.any_initiative()
        plan_b = self.any_initiative() if self.chance.random() < 0.3 else None
        details = GiftDetails(plan_b_initiative_id=plan_b)
        redeem(self.session, payload, target, self.client(), details, **self.trying()).or_raise()  # type: ignore[arg-type]
        self.session.commit()
        initiatives.close_if_funded(self.session, target, actor=TEST_ACTOR, now=self.now)

    def keep(self) -> None:
        account = self.chance.choice(self.accounts)
        keep(self.session, self.any_code(), account, self.client(), **self.trying()).or_raise()  # type: ignore[arg-type]

    def give_kept(self) -> None:
        voucher_id = self.chance.choice(self.session.scalars(select(KeptVoucher.voucher_id)).all())
        account = self.session.get_one(KeptVoucher, voucher_id).account_id
        give_kept(self.session, voucher_id, account, self.any_initiative(), details=GiftDetails(), now=self.now)

    def fail(self) -> None:
        initiatives.stop(self.session, self.any_initiative(), reason="Het kan niet.", actor=TEST_ACTOR, now=self.now)
        self.session.commit()
        self.job(close_initiatives.run)

    def object(self) -> None:
        object_to(self.session, self.any_code(), self.client(), **self.trying()).or_raise()  # type: ignore[arg-type]

    def decide(self) -> None:
        objection = self.chance.choice(self.session.scalars(select(Objection.id)).all())
        verb = self.chance.choice((uphold, uphold, reject))
        verb(self.session, objection, reason="Gekeken.", account_id=self.staff, actor=TEST_ACTOR, now=self.now)

    def _home(self) -> Household:
        return self.chance.choice(self.session.scalars(select(Household).order_by(Household.id)).all())

    def ask(self) -> None:
        home = self._home()
        address = Address(home.postcode, home.house_number, home.house_letter, home.house_addition)
        client = self.client().today
        ask(self.session, address, channel=Channel.ONLINE, client=client, most=5, actor=GIVER, now=self.now)

    def print(self) -> None:
        round_id = self.any_round()
        waiting = "SELECT count(*) FROM replacement_requests WHERE state = 'waiting' AND round_id = :id"
        expected = self.session.scalar(text(waiting), {"id": round_id}) or 0
        print_requests(
            self.session, round_id, expected=expected, keys=self.factory.keys, actor=TEST_ACTOR, now=self.now
        )

    def enter(self) -> None:
        """Two codes by an organiser; the third of an hour for one initiative waits."""
        target, account = self.any_initiative(), self.chance.choice(self.accounts)
        batch = batch_for(self.session, target, account, box_id=None, now=self.now)
        payloads = [self.any_code(), self.any_code()]
        key = self.client().today
        enter(self.session, batch, payloads, key=key, actor=TEST_ACTOR, **self.trying())  # type: ignore[arg-type]
        self.session.commit()
        initiatives.close_if_funded(self.session, target, actor=TEST_ACTOR, now=self.now)

    def decide_batch(self) -> None:
        batch = self.chance.choice(self.session.scalars(select(EntryBatch.id)).all())
        if self.chance.random() < 0.3:
            paper.refuse(self.session, batch, "Vreemd.", actor=TEST_ACTOR, by_id=self.staff, now=self.now)
        else:
            paper.release(self.session, batch, actor=TEST_ACTOR, by_id=self.staff, now=self.now)

    def book_entries(self) -> None:
        self.job(book_entries.run)

    def scan(self) -> None:
        digest = self.factory.keys.digest(self.any_code())
        why = self.chance.choice(list(ReturnReason))
        returning.scan(self.session, digest, why, account_id=self.staff, actor=TEST_ACTOR, now=self.now)

    def clear(self) -> None:
        returning.clear(self.session, self._home().id, reason="Weer bewoond.", actor=TEST_ACTOR, now=self.now)

    def revoke(self) -> None:
        voucher_id = self.chance.choice(self.session.scalars(select(Voucher.id)).all())
        revoke_voucher(self.session, voucher_id, reason="Kwijt.", actor=TEST_ACTOR, now=self.now)

    def close_early(self) -> None:
        close_early(self.session, self.any_round(), reason="Genoeg.", actor=TEST_ACTOR, now=self.now)

    def extend(self) -> None:
        round_ = self.chance.choice(self.rounds())
        until = round_.closes_at + self.chance.randint(1, 9) * DAY
        extend_round(self.session, round_.id, until, reason="Meer tijd.", actor=TEST_ACTOR, now=self.now)

    def expire(self) -> None:
        self.job(expire_vouchers.run)

    def forget(self) -> None:
        self.job(purge_personal_data.run)

    def wait(self) -> None:
        self.now += dt.timedelta(hours=self.chance.choice((1, 24, 24, 96)))
        self.factory.now = self.now

    def wait_long(self) -> None:
        self.now += self.chance.choice((20, 70, 120)) * DAY
        self.factory.now = self.now

    def plan(self) -> None:
        self.factory.round(opens=DAY, closes=self.chance.randint(10, 30) * DAY)

    def move_in(self) -> None:
        self.factory.households(1)

    def end_or_find_again(self) -> None:
        """An address leaves the files, or is in them again."""
        home = self._home()
        home.ended_on = None if home.ended_on else self.now.date()

    def check(self) -> None:
        """All that must be true now."""
        self.session.commit()
        self.session.expire_all()
        ends = [round_.closes_at for round_ in self.rounds()]
        self.latest = max([*ends, self.latest or self.now])
        for what, query in WRONG.items():
            values = {
                name: value for name, value in (("now", self.now), ("latest", self.latest)) if f":{name}" in query
            }
            assert self.session.execute(text(query), values).all() == [], what
        assert check(self.session) == []
        for round_ in self.rounds():
            assert prove(self.session, round_.id).faults == []
        states = {row[0]: row[1] for row in self.session.execute(text("SELECT id, state FROM vouchers"))}
        alive = [number for number in self.dead if states[number] not in {"expired", "revoked"}]
        assert alive == [], "a dead code lives again"
        self.dead |= {number for number, state in states.items() if state in {"expired", "revoked"}}


VERBS: dict[Callable[[Walk], None], int] = {
    Walk.issue: 6,
    Walk.give: 14,
    Walk.keep: 6,
    Walk.give_kept: 4,
    Walk.fail: 2,
    Walk.object: 6,
    Walk.decide: 4,
    Walk.ask: 6,
    Walk.print: 4,
    Walk.scan: 4,
    Walk.clear: 4,
    Walk.revoke: 2,
    Walk.close_early: 1,
    Walk.extend: 2,
    Walk.expire: 4,
    Walk.forget: 2,
    Walk.enter: 8,
    Walk.decide_batch: 2,
    Walk.book_entries: 3,
    Walk.end_or_find_again: 2,
    Walk.wait: 5,
    Walk.wait_long: 1,
    Walk.plan: 2,
    Walk.move_in: 2,
}


def test_no_order_of_verbs_makes_a_second_voucher_or_breaks_the_books(session: Session, factory: Factory) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    walk = walk_of(session, factory, random.Random(seed))

    done = Counter[str]()
    for _step in range(STEPS):
        verb = walk.chance.choices(list(VERBS), list(VERBS.values()))[0]
        try:
            verb(walk)
        except (AbsError, IndexError):  # refused, or there is nothing to do it with
            session.rollback()
        else:
            done[verb.__name__] += 1
        print(walk.now, verb.__name__)
        walk.check()

    assert done.total() > STEPS / 5
    assert len(done) >= len(VERBS) / 3


def walk_of(session: Session, factory: Factory, chance: random.Random) -> Walk:
    approved_text(factory)
    factory.households(6)
    factory.issue(factory.round())
    accounts = [factory.account().id for _number in range(3)]
    staff = factory.account(name="Bea").id
    walk = Walk(session, factory, chance, accounts, staff, factory.now)
    walk.check()
    return walk
