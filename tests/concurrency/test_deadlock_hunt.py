# SPDX-License-Identifier: EUPL-1.2
"""Everything at once for some seconds, on few rows: nobody waits for ever, nothing breaks, and the books are right."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.actors import GIVER
from abs_platform.donations.service import Gift, GiftDetails, give_voucher
from abs_platform.initiatives import service
from abs_platform.rounds.models import Round
from abs_platform.vouchers.issuing import IssueReport, issue_vouchers
from abs_platform.vouchers.service import expire_round, revoke_voucher
from jobs import close_initiatives, expire_vouchers
from jobs import issue_vouchers as issue_job
from tests.concurrency.racing import PATIENCE, assert_books_are_right, at_once, committed
from tests.factories import TEST_ACTOR, Factory

SECONDS = 4.0
THREADS = 8
DISTRICTS = ("WK014110", "WK014111", "WK014112", "WK014113", "WK014119")
NEIGHBOURHOODS = ("BU01411000", "BU01411100", "BU01411200", "BU01411300", "BU01411900")


@dataclass
class Actor:
    """One of those who do things at random; few rows to choose from, so that they meet."""

    app: Flask
    factory: Factory
    rounds: list[int]
    initiatives: list[int]
    chance: random.Random
    done: Counter[str]

    def act(self, until: float) -> None:
        """Do one thing after another until it is over, and a slow machine has done each thing too."""
        weighted: list[tuple[Callable[[], bool], int]] = [
            (self.give, 60),
            (self.revoke, 10),
            (self.issue, 8),
            (self.expire, 8),
            (self.end, 2),
            (self.close, 8),
        ]
        verbs, weights = zip(*weighted, strict=True)
        while time.monotonic() < until + (0 if len(self.done) == len(verbs) else PATIENCE / 2):
            (verb,) = self.chance.choices(verbs, weights)
            if verb():
                self.done[verb.__name__] += 1

    def give(self) -> bool:
        """As the route does: the gift, then the closing."""
        initiative, plan_b = self.chance.sample(self.initiatives, 2)
        _id, digest = self._some_voucher()
        now, details = self.factory.now, GiftDetails(plan_b_initiative_id=self.chance.choice([None, plan_b]))
        gift = committed(self.app, lambda s: give_voucher(s, digest, initiative, details=details, now=now))()
        if isinstance(gift, Gift):
            committed(self.app, lambda s: service.close_if_funded(s, initiative, actor=GIVER, now=now))()
        return isinstance(gift, Gift)

    def revoke(self) -> bool:
        """A lost letter."""
        (voucher_id, _digest), now = self._some_voucher(), self.factory.now
        revoke = committed(
            self.app, lambda s: revoke_voucher(s, voucher_id, reason="Kwijt.", actor=TEST_ACTOR, now=now)
        )
        return revoke() is None

    def issue(self) -> bool:
        """Vouchers for who has none."""
        round_id, keys, now = self.chance.choice(self.rounds), self.factory.keys, self.factory.now
        issued = committed(self.app, lambda s: issue_vouchers(s, round_id, keys=keys, actor=TEST_ACTOR, now=now))()
        return isinstance(issued, IssueReport) and issued.voucher_count > 0

    def expire(self) -> bool:
        """The end of a round, now and then; at other times nothing is due."""
        round_id, now = self.chance.choice(self.rounds), self.factory.now
        is_over = self.chance.random() < 0.01

        def verb(session: Session) -> int:
            at = session.get_one(Round, round_id).closes_at if is_over else now
            return expire_round(session, round_id, actor=TEST_ACTOR, now=at)

        return isinstance(committed(self.app, verb)(), int)

    def end(self) -> bool:
        """An initiative that is stopped or withdrawn."""
        initiative, now = self.chance.choice(self.initiatives), self.factory.now
        verb = self.chance.choice([service.stop, service.withdraw])
        return committed(self.app, lambda s: verb(s, initiative, reason="Zo.", actor=TEST_ACTOR, now=now))() is None

    def close(self) -> bool:
        """The job, without the lock that lets one of them run."""
        with self.app.app_context():
            report = close_initiatives.run(self.factory.now)
        assert report.errors == []
        return report.changed > 0

    def _some_voucher(self) -> tuple[int, bytes]:
        """One of the first that can be given."""
        query = text("SELECT id, code_digest FROM vouchers WHERE state = 'issued' ORDER BY id LIMIT 12")
        found: list[tuple[int, bytes]] = []
        committed(self.app, lambda session: found.extend((row[0], row[1]) for row in session.execute(query)))()
        return self.chance.choice(found or [(0, b"")])


def test_everything_at_once_ends_with_the_books_right(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    for neighbourhood in NEIGHBOURHOODS:
        own_factory.households(150, neighbourhood)
    rounds = [own_factory.round(districts=(district,)) for district in DISTRICTS]
    for round_ in rounds:
        own_factory.issue(round_)
    chance = random.Random(seed)
    initiatives = [own_factory.initiative(target_cents=chance.randrange(10_000, 40_000)).id for _number in range(50)]
    round_ids = [round_.id for round_ in rounds]
    own_session.commit()
    until, done = time.monotonic() + SECONDS, Counter[str]()

    actors = [
        Actor(own_app, own_factory, round_ids, initiatives, random.Random(seed + number), done)
        for number in range(THREADS)
    ]
    at_once([partial(actor.act, until) for actor in actors])

    print(dict(done))
    assert set(done) == {"give", "revoke", "issue", "expire", "end", "close"}
    assert_books_are_right(own_session)
    for job in (issue_job, close_initiatives, expire_vouchers):
        assert job.run(own_factory.now).errors == []
    assert_books_are_right(own_session, jobs_have_run=True)
