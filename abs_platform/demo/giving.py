# SPDX-License-Identifier: EUPL-1.2
"""The rounds of the demo and the gifts of its residents, some of whom want news."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.actors import GIVER, Actor
from abs_platform.demo.money import Money, Span
from abs_platform.demo.special_gifts import plan_special_gifts
from abs_platform.demo.timeline import Action, Timeline
from abs_platform.donations.queries import due_back_with_plan_b
from abs_platform.donations.service import GiftDetails, give_voucher, return_to_plan_b, return_vouchers
from abs_platform.donations.states import Channel
from abs_platform.initiatives import service
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.rounds.service import plan_round, release
from abs_platform.updates.mailing import tell_of_returns
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.service import expire_round

MODERATOR = Actor("staff", "demo")
JOB = Actor("job", "demo")
NAMED_SHARE, MESSAGE_SHARE, PLAN_B_SHARE, NEWS_SHARE = 0.35, 0.5, 0.2, 0.03
READERS = 400
CHANNELS, CHANNEL_SHARES = (Channel.ONLINE, Channel.ORGANISER, Channel.DESK), (88, 8, 4)
REACHED = frozenset({State.FUNDED, State.IN_PROGRESS, State.REALISED})
FAILED = frozenset({State.EXPIRED, State.STOPPED, State.WITHDRAWN})
# So long ago, at least, an initiative that is this far got its last gift.
_DAYS_SINCE_LAST_GIFT = {
    State.FUNDED: 1,  # or so many more, when the money is on its way already
    State.IN_PROGRESS: 15,
    State.REALISED: 75,
    State.STOPPED: 1,
    State.WITHDRAWN: 1,
}
_DAYS_TO_ASK_FOR_MONEY = 12
# What comes back to a plan B may not fund what stands here as still collecting.
_PLAN_B_PROGRESS = 0.6


class Giving:
    """Rounds, gifts, and what goes back."""

    def __init__(self, line: Timeline, money: Money) -> None:
        self.line, self.money = line, money
        self.gift_count = 0
        self._unused: dict[str, Iterator[bytes]] = {}
        self._rounds: list[tuple[str, dt.datetime, dt.datetime]] = []
        self._round_ids: dict[str, int] = {}
        self._collecting = [
            item["key"]
            for item in line.data.initiatives
            if item["state"] == State.PUBLISHED.value and item["progress"] <= _PLAN_B_PROGRESS
        ]

    def plan_round(self, opens_ago: int, closes_ago: int, districts: list[str]) -> None:
        """A round, given in days before now: its vouchers are issued two weeks before it opens."""
        line = self.line
        opens_at, closes_at = line.day(opens_ago), line.day(closes_ago, hour=24)
        season = "Voorjaar" if opens_at.month <= 6 else "Najaar"
        name = f"{season} {opens_at.year}"
        issued_at = opens_at - dt.timedelta(days=14)
        self._rounds.append((name, opens_at, closes_at))

        def plan(session: Session, now: dt.datetime) -> None:
            round_ = plan_round(
                session,
                name=name,
                issue_on=clock.local_date(issued_at),
                opens_at=opens_at,
                closes_at=closes_at,
                amount_cents=line.settings.rules.voucher_amount_cents,
                districts=districts,
                rules=line.settings.rules,
                actor=MODERATOR,
                now=now,
            )
            release(session, round_, letter_text_id=None, actor=MODERATOR, now=now)
            self._round_ids[name] = round_.id

        def issue(session: Session, now: dt.datetime) -> None:
            round_id = self._round_ids[name]
            issue_vouchers(session, round_id, keys=line.keys, actor=JOB, now=now)
            digests = select(Voucher.code_digest).where(Voucher.round_id == round_id).order_by(Voucher.id)
            shuffled = list(session.scalars(digests))
            line.chance.shuffle(shuffled)
            self._unused[name] = iter(shuffled)

        line.at(issued_at - dt.timedelta(days=30), plan)
        line.at(issued_at, issue)
        if closes_at < line.now:
            line.at(
                closes_at,
                lambda session, now: _ignore(expire_round(session, self._round_ids[name], actor=JOB, now=now)),
            )

    def plan_gifts(self, item: dict[str, Any], state: State, published: dt.datetime, deadline: dt.date) -> dt.datetime:
        """The gifts of one initiative; returns the moment of the last one."""
        line, key, amount = self.line, item["key"], self.line.settings.rules.voucher_amount_cents
        target = sum(budget["amount_cents"] for budget in item["budget"])
        raised = target if state in REACHED else int(item.get("progress", 0) * target)
        in_money = self.money.choose(target, raised)
        left = raised - sum(in_money)
        wanted = -(-left // amount) if state in REACHED else left // amount
        latest = line.now - dt.timedelta(days=self._days_since_last(key, state))
        end = min(clock.end_of_day(deadline), latest)
        moments = self._moments(published, end, wanted)
        for number, moment in enumerate(moments, start=1):
            line.at(moment, self._gift(key, moment, may_fail=state in FAILED))
            if number == len(moments) and state in REACHED:  # only the last one can reach the target
                line.at(moment, self._close(key))
        span = self.money.plan_gifts(item, in_money, Span(published, end, moments))
        self.gift_count += len(moments) + len(in_money) + plan_special_gifts(self.money, key, span)
        return moments[-1] if moments else published

    def _days_since_last(self, key: str, state: State) -> int:
        is_asked = self.line.data.money["payouts"].get(key, {}).get("state", "none") != "none"
        more = _DAYS_TO_ASK_FOR_MONEY if state == State.FUNDED and is_asked else 0
        return _DAYS_SINCE_LAST_GIFT.get(state, 0) + more

    def give_back(self, key: str, state: State) -> Action:
        """All gifts go to their plan B or back to their givers, who are told."""

        def act(session: Session, now: dt.datetime) -> None:
            initiative_id = self.line.ids[key]
            for donation_id in due_back_with_plan_b(session, initiative_id):
                gift = return_to_plan_b(session, donation_id, actor=JOB, now=now, reason=state.value)
                if gift is not None:
                    service.close_if_funded(session, gift.initiative_id, actor=JOB, now=now)
            while return_vouchers(session, initiative_id, actor=JOB, now=now, reason=state.value):
                pass
            tell_of_returns(session, initiative_id, now=now)

        return act

    def _moments(self, start: dt.datetime, end: dt.datetime, wanted: int) -> list[dt.datetime]:
        """Moments by day within the rounds that were open then, more of them early in a round."""
        windows = [
            (max(start, opens), min(end, closes))
            for _name, opens, closes in self._rounds
            if max(start, opens) < min(end, closes)
        ]
        if not windows:
            return []
        chance, (first, last) = self.line.chance, windows[0]
        moments = []
        for _gift in range(wanted):
            share = chance.random() ** 1.4
            moment = first + (last - first) * share
            moments.append(moment.replace(second=chance.randrange(60), microsecond=0))
        return sorted(max(first, min(moment, last - dt.timedelta(minutes=2))) for moment in moments)

    def _gift(self, key: str, moment: dt.datetime, *, may_fail: bool) -> Action:
        line = self.line
        chance, data = line.chance, line.data
        name = chance.choice(data.giver_names) if chance.random() < NAMED_SHARE else None
        message = chance.choice(data.messages) if name and chance.random() < MESSAGE_SHARE else None
        reader = f"lezer{chance.randrange(READERS)}@voorbeeld.example" if chance.random() < NEWS_SHARE else None
        channel = chance.choices(CHANNELS, CHANNEL_SHARES)[0]
        plan_b = chance.choice(self._collecting) if may_fail and chance.random() < PLAN_B_SHARE else None
        round_name = next(name for name, opens, closes in self._rounds if opens <= moment < closes)

        def give(session: Session, now: dt.datetime) -> None:
            details = GiftDetails(
                channel=channel,
                giver_name=name,
                message=message,
                giver_email=reader,
                plan_b_initiative_id=line.ids.get(plan_b) if plan_b else None,
            )
            digest = next(self._unused[round_name])
            gift = give_voucher(session, digest, line.ids[key], details=details, now=now)
            if gift is None:
                raise LookupError(f"{key} did not take a gift on {now}")
            self.money.remember(key, gift, name)

        return give

    def _close(self, key: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            if not service.close_if_funded(session, self.line.ids[key], actor=GIVER, now=now):
                raise LookupError(f"{key} did not reach its target")

        return act


def _ignore(_count: int) -> None:
    """What a verb counts is of no use here."""
