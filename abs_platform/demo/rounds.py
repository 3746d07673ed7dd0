# SPDX-License-Identifier: EUPL-1.2
"""The rounds of the demo: two small ones that are over, one that is open, and one that is planned and not released."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from functools import partial

from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.demo.coordinating import LEAD, Coordinating, rules_at
from abs_platform.demo.stock import Stock, set_aside, stock_of
from abs_platform.demo.timeline import MINUTE, Timeline
from abs_platform.errors import AbsError
from abs_platform.rounds.models import Round
from abs_platform.rounds.service import plan_round, release
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.service import expire_round
from abs_platform.work import service as work
from abs_platform.work.states import WorkKind

JOB = Actor("job", "demo")
PILOT, CLOSED, OPEN, NEXT = "pilot", "closed", "open", "next"
AT_THE_OFFICE = dt.timedelta(hours=10)
PLANNED_BEFORE = dt.timedelta(days=30)
SEED = 23


@dataclass(frozen=True, slots=True)
class DemoRound:
    """A round as it is planned."""

    key: str
    name: str
    opens_at: dt.datetime
    closes_at: dt.datetime
    districts: list[str]


class Rounds:
    """Rounds with their vouchers, by the keys above."""

    def __init__(self, line: Timeline, coordinating: Coordinating) -> None:
        self.line, self.coordinating = line, coordinating
        self.stocks: dict[str, Stock] = {}
        self.planned: list[DemoRound] = []
        self._ids: dict[str, int] = {}
        self._chance = random.Random(SEED)

    def plan(self, closed: tuple[int, int], opened: tuple[int, int]) -> None:
        """Plan all four; the open one is first issued before it was released, and that fails."""
        line, pilot = self.line, self.line.data.rounds[PILOT]
        began, ended = pilot["opens_ago"], pilot["closes_ago"]
        districts = line.data.closed_round_districts
        self._add(CLOSED, line.day(closed[0]), line.day(closed[1], hour=24), districts)
        self._add(PILOT, line.day(began), line.day(ended, hour=24), pilot["districts"], pilot["name"])
        self._add(OPEN, line.day(opened[0]), line.day(opened[1], hour=24), [])
        for planned in self.planned:
            issued = planned.opens_at - LEAD + AT_THE_OFFICE
            line.at(issued - PLANNED_BEFORE, partial(self._plan, planned))
            if planned.key == OPEN:
                line.at(issued - 9 * MINUTE, partial(self._issue, planned))
            line.at(issued - 4 * MINUTE, partial(self._release, planned))
            line.at(issued, partial(self._issue, planned))
            self.plan_expiry(planned.closes_at)
        kept = line.data.rounds["setting"][0]["value"]
        self.plan_expiry(line.day(ended, hour=24) + dt.timedelta(days=kept))
        coming = DemoRound(NEXT, "", *self.coordinating.next_dates(), [])
        asked = line.day(line.data.rounds[NEXT]["planned_ago"], hour=14)
        line.at(asked, partial(self._plan, _named(coming)))

    def plan_expiry(self, moment: dt.datetime) -> None:
        """What has come to its end by then expires, as the job sees to."""
        if moment < self.line.now:
            self.line.at(moment + MINUTE, self._expire)

    def at(self, moment: dt.datetime) -> str:
        """Of which round a gift at this moment is: mostly the largest that is open."""
        open_then = [one.key for one in self.planned if one.opens_at <= moment < one.closes_at]
        small = self._chance.randrange(100) < self.line.data.rounds[PILOT]["gift_percent"]
        return PILOT if small and PILOT in open_then else open_then[0]

    def round_id(self, key: str) -> int:
        """The number of a round."""
        return self._ids[key]

    def _add(
        self, key: str, opens_at: dt.datetime, closes_at: dt.datetime, districts: list[str], name: str = ""
    ) -> None:
        self.planned.append(_named(DemoRound(key, name, opens_at, closes_at, districts)))

    def _plan(self, one: DemoRound, session: Session, now: dt.datetime) -> None:
        rules = rules_at(session, self.line.settings.rules)
        round_ = plan_round(
            session,
            name=one.name,
            issue_on=clock.local_date(one.opens_at - LEAD),
            opens_at=one.opens_at,
            closes_at=one.closes_at,
            amount_cents=rules.voucher_amount_cents,
            districts=one.districts,
            rules=rules,
            actor=self.coordinating.coordinator(session, now).actor(),
            now=now,
        )
        self._ids[one.key] = round_.id

    def _release(self, one: DemoRound, session: Session, now: dt.datetime) -> None:
        round_, actor = session.get_one(Round, self._ids[one.key]), self.coordinating.coordinator(session, now).actor()
        release(session, round_, letter_text_id=self.coordinating.text_id, actor=actor, now=now)

    def _issue(self, one: DemoRound, session: Session, now: dt.datetime) -> None:
        """As the work that it is, in the name of who asked."""
        user, round_id = self.coordinating.coordinator(session, now), self._ids[one.key]
        key, params = f"round:{round_id}:", {"round_id": round_id}
        work.order(session, WorkKind.ISSUE_ROUND, key=key, params=params, account_id=user.account_id, now=now)
        order = work.begin_next(session, now=now)
        if order is None:
            raise LookupError("nothing to do")
        try:
            report = issue_vouchers(session, round_id, keys=self.line.keys, actor=user.actor(), now=now)
        except AbsError as refused:
            work.fail(session, order.id, refused.message, attempt=order.attempts, actor=JOB, now=now)
            return
        count = report.voucher_count
        work.progress(session, order.id, attempt=order.attempts, done=count, total=count)
        result = {
            "sentence": f"{count} vouchers zijn uitgegeven.",
            "link": f"/beheer/rondes/{round_id}",
            "vouchers": count,
            "batch": report.batch_id,
        }
        work.finish(session, order.id, result, attempt=order.attempts, actor=JOB, now=now)
        self.stocks[one.key] = stock_of(session, round_id, self.line.chance)
        if one.key == OPEN:
            lost, back = self.line.data.rounds["lost"], self.line.data.rounds["returned"]
            others = lost["asked"] + lost["waiting"] + len(back["reasons"])
            set_aside(
                session, self.stocks[OPEN], lost["hot"], hot=lost["hot_asked"] + lost["hot_waiting"], others=others
            )

    def _expire(self, session: Session, now: dt.datetime) -> None:
        for one in self.planned:
            if one.closes_at <= now:
                expire_round(session, self._ids[one.key], actor=JOB, now=now)


def _named(one: DemoRound) -> DemoRound:
    season = "Voorjaar" if one.opens_at.month <= 6 else "Najaar"
    name = one.name or f"{season} {one.opens_at.year}"
    return DemoRound(one.key, name, one.opens_at, one.closes_at, one.districts)
