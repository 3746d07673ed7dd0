# SPDX-License-Identifier: EUPL-1.2
"""The gifts of the demo's residents, some of whom want news, and what goes back to them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.actors import GIVER, Actor
from abs_platform.demo.coordinating import staff_member
from abs_platform.demo.money import Money, Span
from abs_platform.demo.paper import Paper, sitting_in
from abs_platform.demo.rounds import JOB, PILOT, Rounds
from abs_platform.demo.special_gifts import plan_special_gifts
from abs_platform.demo.timeline import Action, Timeline
from abs_platform.donations.queries import due_back_with_plan_b
from abs_platform.donations.service import GiftDetails, give_voucher, return_to_plan_b, return_vouchers
from abs_platform.donations.states import Channel
from abs_platform.initiatives import service
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.updates.mailing import tell_of_returns
from abs_platform.users import Role

NAMED_SHARE, MESSAGE_SHARE, PLAN_B_SHARE, NEWS_SHARE = 0.35, 0.5, 0.2, 0.03
READERS = 400
CHANNELS, CHANNEL_SHARES = (Channel.ONLINE, Channel.DESK), (95, 5)
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
    """Gifts, and what goes back."""

    def __init__(self, line: Timeline, money: Money, rounds: Rounds, paper: Paper) -> None:
        self.line, self.money, self.rounds, self.paper = line, money, rounds, paper
        self.gift_count = 0
        self._clerk: Actor | None = None
        self._collecting = [
            item["key"]
            for item in line.data.initiatives
            if item["state"] == State.PUBLISHED.value and item["progress"] <= _PLAN_B_PROGRESS
        ]

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
        sitting = sitting_in(moments)
        self.paper.plan_sitting(key, moments[sitting])
        for number, moment in enumerate(moments):
            if number not in range(sitting.start, sitting.stop):
                line.at(moment, self._gift(key, moment, may_fail=state in FAILED))
        if moments and state in REACHED:  # only the last one can reach the target
            line.at(moments[-1], self._close(key))
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
            for opens, closes in ((one.opens_at, one.closes_at) for one in self.rounds.planned if one.key != PILOT)
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
        round_key = self.rounds.at(moment)

        def give(session: Session, now: dt.datetime) -> None:
            by, details = self._at_the_desk(session, now), GiftDetails(channel=Channel.DESK)
            if channel == Channel.ONLINE:
                by, plan_b_id = GIVER, line.ids.get(plan_b) if plan_b else None
                details = GiftDetails(
                    giver_name=name, message=message, giver_email=reader, plan_b_initiative_id=plan_b_id
                )
            digest = line.keys.digest(line.keys.payload(self.rounds.stocks[round_key].take()))
            gift = give_voucher(session, digest, line.ids[key], details=details, now=now, actor=by)
            if gift is None:
                raise LookupError(f"{key} did not take a gift on {now}")
            self.money.remember(key, gift, details.giver_name)

        return give

    def _at_the_desk(self, session: Session, now: dt.datetime) -> Actor:
        """Who enters the codes of those who come to a wijkcentrum."""
        if self._clerk is None:
            self._clerk = staff_member(session, self.line.data.rounds["returned"]["by"], Role.DESK, now).actor()
        return self._clerk

    def _close(self, key: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            if not service.close_if_funded(session, self.line.ids[key], actor=GIVER, now=now):
                raise LookupError(f"{key} did not reach its target")

        return act
