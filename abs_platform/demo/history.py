# SPDX-License-Identifier: EUPL-1.2
"""A history for the demo: what happened to every initiative, told by the real service verbs in the order of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.demo.bank import Bank
from abs_platform.demo.coordinating import Coordinating
from abs_platform.demo.deciding import Desk
from abs_platform.demo.giving import FAILED, REACHED, Giving
from abs_platform.demo.money import Money
from abs_platform.demo.paper import Paper
from abs_platform.demo.paying_out import PayingOut
from abs_platform.demo.posting import Posting
from abs_platform.demo.rounds import JOB, Rounds
from abs_platform.demo.talking import Talking
from abs_platform.demo.telling import Telling
from abs_platform.demo.timeline import Action, Timeline
from abs_platform.demo.writing import Writing
from abs_platform.initiatives import service
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.moderation.states import DecisionKind
from abs_platform.payment_settings import BankAccount

_WAS_PUBLISHED = frozenset({State.PUBLISHED}) | REACHED | FAILED
_BEFORE_PUBLISHING = dt.timedelta(days=8)
_ANSWERED_AFTER = dt.timedelta(days=3)
_BEGUN_AFTER = dt.timedelta(days=12)
_DONE_AFTER = dt.timedelta(days=60)
# Every so many initiators had the letter of the own address in their hands.
_VERIFIED_EVERY = 3


class History:
    """Who does what, and when. Each room plans its own part on the one timeline."""

    def __init__(self, line: Timeline, bank: Bank | None, account: BankAccount) -> None:
        self.line = line
        self.money, self.paying_out = Money(line, bank), PayingOut(line, account)
        self.coordinating, self.writing = Coordinating(line), Writing(line)
        self.rounds = Rounds(line, self.coordinating)
        self.paper, self.posting = Paper(line, self.rounds), Posting(line, self.rounds, self.coordinating)
        self.giving = Giving(line, self.money, self.rounds, self.paper)
        self.desk, self.telling = Desk(line, self.writing), Telling(line)
        self.talking = Talking(line)

    def plan(self, closed_round: tuple[int, int], open_round: tuple[int, int]) -> None:
        """Plan the rounds (given in days before now: opening, closing), the initiatives and all around them."""
        self.coordinating.plan([closed_round[0], open_round[0]])
        self.rounds.plan(closed_round, open_round)
        letters_came = self.line.day(open_round[0])
        for number, item in enumerate(self.line.data.initiatives):
            submitted = self._plan_initiative(item, State(item["state"]))
            if number % _VERIFIED_EVERY == 0:
                self.line.at(max(letters_came, submitted), self.writing.verify(item))
        self.desk.plan()
        self.paper.plan()
        self.posting.plan()
        self.talking.plan()
        self.paying_out.plan_days()
        self.money.plan_transfers(self.line.day(closed_round[0]))

    def _plan_initiative(self, item: dict[str, Any], state: State) -> dt.datetime:
        """The road of one initiative; returns when it was sent first."""
        key, line = item["key"], self.line
        published = None
        if state in _WAS_PUBLISHED:
            published = line.at_the_office(line.day(item["published_days_ago"]), before=True)
        submitted = published - _BEFORE_PUBLISHING if published else self._sent(item)
        deadline = clock.local_date(published or submitted) + dt.timedelta(days=item["deadline_days"])
        first = submitted - dt.timedelta(days=9) if "changes_reason" in item else submitted
        self.writing.plan_draft(item, first, deadline)
        if "set_aside" in item:
            line.at(first - dt.timedelta(days=1), self.desk.set_aside_maximum(key, item["set_aside"]))
        if "invited" in item:
            line.at(first - dt.timedelta(days=1), self.writing.invite(key, item["invited"]))
        if state == State.DRAFT:
            return first
        if "changes_reason" in item:
            self._plan_first_try(item, first)
        line.at(submitted, self.writing.send(key))
        self._plan_answer(item, state, submitted)
        if published:
            line.at(published, self.desk.publish(key))
            self._plan_life(item, state, published, deadline)
        return first

    def _sent(self, item: dict[str, Any]) -> dt.datetime:
        if "submitted_working_days_ago" not in item:
            return self.line.day(item.get("submitted_days_ago", 2), hour=20)
        days = item["submitted_working_days_ago"]
        return self.line.working_day(days, hour=7 + len(item["title"]) % 3 if days == 0 else 20)

    def _plan_first_try(self, item: dict[str, Any], first: dt.datetime) -> None:
        """It was sent before, without its last paragraph; the desk asked for that."""
        key, story = item["key"], item["story"].strip()
        self.line.at(first - dt.timedelta(hours=1), self.writing.save(key, {"story": story.rpartition("\n\n")[0]}))
        self.line.at(first, self.writing.send(key))
        asked = self.line.at_the_office(first + _ANSWERED_AFTER)
        self.line.at(asked, self.desk.decide(key, DecisionKind.REQUEST_CHANGES, item["changes_reason"]))
        self.line.at(asked + dt.timedelta(days=1), self.writing.save(key, {"story": story}))

    def _plan_answer(self, item: dict[str, Any], state: State, submitted: dt.datetime) -> None:
        key, reason = item["key"], item.get("reason", "")
        answered = self.line.at_the_office(submitted + _ANSWERED_AFTER)
        if state == State.CHANGES_REQUESTED:
            self.line.at(answered, self.desk.decide(key, DecisionKind.REQUEST_CHANGES, reason))
        if state == State.REJECTED:
            self.line.at(answered, self.desk.decide(key, DecisionKind.REJECT, reason))
        if "hand_over" in item:
            to, why = item["hand_over"]["to"], item["hand_over"]["reason"]
            handed_over = self.line.at_the_office(submitted + dt.timedelta(days=1))
            self.line.at(handed_over, self.desk.decide(key, DecisionKind.HAND_OVER, why, to))

    def _plan_life(self, item: dict[str, Any], state: State, published: dt.datetime, deadline: dt.date) -> None:
        key, line = item["key"], self.line
        last = self.giving.plan_gifts(item, state, published, deadline)
        begun = last + _BEGUN_AFTER
        done = line.at_the_office(last + _DONE_AFTER) if state == State.REALISED else None
        if state in {State.IN_PROGRESS, State.REALISED}:
            line.at(begun, self._by_organisers(key, service.start))
            self.telling.plan_account(key, begun, done)
        if state in FAILED:
            self._plan_failure(item, state, last, deadline)
        else:
            if state in REACHED:
                self.paying_out.plan_payout(item, state, last, done)
            is_funded = state in REACHED
            self.telling.plan_news(key, last if is_funded else published, done or line.now, is_funded=is_funded)

    def _plan_failure(self, item: dict[str, Any], state: State, last: dt.datetime, deadline: dt.date) -> None:
        key, line, reason = item["key"], self.line, item.get("reason", "")
        ended = min(last + dt.timedelta(days=5), line.now - dt.timedelta(hours=2))
        if state == State.EXPIRED:
            ended = clock.end_of_day(deadline)
            line.at(ended, lambda session, now: _expire(session, line.ids[key], now))
        elif state == State.STOPPED:
            line.at(ended, self.desk.decide(key, DecisionKind.STOP, reason))
        else:
            line.at(ended, self._by_organisers(key, service.withdraw, reason=reason))
        line.at(ended, self.giving.give_back(key, state))
        line.at(ended, self.money.give_back)
        self.rounds.plan_expiry(ended + dt.timedelta(days=line.settings.rules.returned_valid_days))

    def _by_organisers(self, key: str, verb: Callable[..., Any], **more: Any) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            actor: Actor = self.line.initiator(key).actor()
            verb(session, self.line.ids[key], actor=actor, now=now, **more)

        return act


def _expire(session: Session, initiative_id: int, now: dt.datetime) -> None:
    service.expire_if_due(session, initiative_id, actor=JOB, now=now)
