# SPDX-License-Identifier: EUPL-1.2
"""Paper in the demo: boxes, organisers who enter codes, a batch that waits, and bewoners who object."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import attempts
from abs_platform.demo.coordinating import rules_at
from abs_platform.demo.deciding import manager_of
from abs_platform.demo.rounds import OPEN, Rounds
from abs_platform.demo.timeline import MINUTE, Action, Timeline
from abs_platform.donations.models import Donation
from abs_platform.objections import service as objections
from abs_platform.objections.models import Objection
from abs_platform.objections.states import ObjectionState
from abs_platform.paper import service
from abs_platform.paper.entering import enter
from abs_platform.paper.states import EntryOutcome
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.redeeming import Client

# Of so many gifts, this share came in on paper, in one sitting of so many at most.
LEAST_GIFTS, SHARE, MOST_IN_A_SITTING = 80, 0.04, 24
CODES_A_MINUTE = 8
CONFIRMED_AFTER = dt.timedelta(days=2)


class Paper:
    """What organisers enter, and what comes of it."""

    def __init__(self, line: Timeline, rounds: Rounds) -> None:
        self.line, self.rounds = line, rounds
        self._boxes: dict[str, int] = {}
        self._first: dict[str, int] = {}

    def plan(self) -> None:
        """The boxes, and the batches with a story."""
        line, told = self.line, self.line.data.rounds
        for box in told["box"]:
            line.at(line.day(box["days_ago"], hour=16), self._register(box))
        for batch in told["batch"]:
            self._plan_batch(batch)

    def plan_sitting(self, key: str, moments: list[dt.datetime]) -> None:
        """Part of the usual gifts of an initiative, entered one after the other."""
        for start in range(0, len(moments), CODES_A_MINUTE):
            codes = len(moments[start : start + CODES_A_MINUTE])
            round_key = self.rounds.at(moments[start])
            self.line.at(moments[start], self._enter(key, round_key, good=codes))

    def _plan_batch(self, batch: dict[str, Any]) -> None:
        line, key = self.line, batch["key"]
        began = line.day(batch["days_ago"], hour=19.5) if batch["days_ago"] else line.now - 40 * MINUTE
        left = {"good": batch["good"], "bad": batch.get("bad", 0)}
        while any(left.values()):
            now = {name: min(count, CODES_A_MINUTE) for name, count in left.items()}
            left = {name: count - now[name] for name, count in left.items()}
            line.at(began, self._enter(key, OPEN, is_from_box=batch.get("box", False), keeps_first=True, **now))
            began += MINUTE
        if "objection" in batch:
            told = batch["objection"]
            line.at(line.day(told["raised_ago"], hour=11), self._object(key))
            if "decided_ago" in told:
                line.at(line.at_the_office(line.day(told["decided_ago"])), self._decide(key, told))

    def _register(self, box: dict[str, Any]) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            initiative_id, user = self.line.ids[box["key"]], self.line.initiator(box["key"])
            made = service.register_box(
                session,
                initiative_id,
                box["place"],
                box["address"],
                account_id=user.account_id,
                actor=user.actor(),
                now=now,
            )
            self._boxes[box["key"]] = made.id

        return act

    def _enter(
        self,
        key: str,
        round_key: str,
        *,
        good: int,
        bad: int = 0,
        is_from_box: bool = False,
        keeps_first: bool = False,
    ) -> Action:
        """Codes of letters that nobody used, and codes that are no voucher's."""

        def act(session: Session, now: dt.datetime) -> None:
            line, user, initiative_id = self.line, self.line.initiator(key), self.line.ids[key]
            stock = self.rounds.stocks[round_key]
            payloads = [line.keys.payload(stock.take()) for _number in range(good)]
            if keeps_first and payloads:
                self._first.setdefault(key, payloads[0])
            payloads += [line.keys.payload(line.chance.randbytes(16)) for _number in range(bad)]
            box_id = self._boxes.get(key) if is_from_box else None
            batch_id = service.batch_for(session, initiative_id, user.account_id, box_id=box_id, now=now)
            answers = enter(
                session,
                batch_id,
                payloads,
                keys=line.keys,
                key=attempts.digest(line.settings.secret_key, f"account:{user.account_id}"),
                rules=rules_at(session, line.settings.rules),
                actor=user.actor(),
                now=now,
            )
            if any(answer.outcome not in {EntryOutcome.GIVEN, EntryOutcome.WAITING} for answer in answers[:good]):
                raise LookupError(f"{key} did not take codes from paper on {now}")

        return act

    def _object(self, key: str) -> Action:
        """Who has the letter says: that was not me."""

        def act(session: Session, now: dt.datetime) -> None:
            line = self.line
            digest = attempts.digest(line.settings.secret_key, f"bewoner {key}")
            rules, client = rules_at(session, line.settings.rules), Client(digest, digest)
            answer = objections.object_to(session, self._first[key], client, keys=line.keys, rules=rules, now=now)
            answer.or_raise()

        return act

    def _decide(self, key: str, told: dict[str, Any]) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user = manager_of(session, self.line.ids[key], now)
            objection_id = session.scalars(
                select(Objection.id)
                .join(Donation, Donation.id == Objection.donation_id)
                .join(Voucher, Voucher.id == Donation.voucher_id)
                .where(Voucher.code_digest == self.line.keys.digest(self._first[key]))
            ).one()
            verb = objections.uphold if told["state"] == ObjectionState.UPHELD.value else objections.reject
            by_id, reason = user.account_id, told["reason"]
            verb(session, objection_id, reason=reason, account_id=by_id, actor=user.actor(), now=now)

        return act


def sitting_in(moments: list[dt.datetime]) -> slice:
    """Which of the gifts of an initiative came in on paper; their moments become those of one evening."""
    if len(moments) < LEAST_GIFTS:
        return slice(0, 0)
    count = min(int(len(moments) * SHARE), MOST_IN_A_SITTING)
    start = len(moments) // 2
    for place in range(count):
        minutes_before = (count - 1 - place) // CODES_A_MINUTE
        moments[start + place] = moments[start + count - 1] - minutes_before * MINUTE
    return slice(start, start + count)
