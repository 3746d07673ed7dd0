# SPDX-License-Identifier: EUPL-1.2
"""The post of the demo: letters that got lost and are made anew, letters that came back, and vouchers that are kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import attempts
from abs_platform.actors import GIVER
from abs_platform.demo.coordinating import Coordinating, rules_at, staff_member
from abs_platform.demo.rounds import JOB, OPEN, Rounds
from abs_platform.demo.stock import HOT, LOST, address_of_letter
from abs_platform.demo.timeline import Action, Timeline, between
from abs_platform.demo.writing import address_of, user_of
from abs_platform.donations.service import GiftDetails
from abs_platform.donations.states import Channel
from abs_platform.letters.queries import order_key
from abs_platform.municipality import Rules
from abs_platform.reminders.service import KEPT_FIRST_CALL, remind_keeper
from abs_platform.replacements.queries import post_of_rounds
from abs_platform.replacements.returning import scan
from abs_platform.replacements.service import ask, print_requests
from abs_platform.replacements.states import ReturnReason
from abs_platform.reports.proving import prove
from abs_platform.reports.queries import rounds as rounds_with_figures
from abs_platform.reports.service import keep_figures, keep_proof
from abs_platform.users import Role, User
from abs_platform.vouchers.keeping import give_kept, keep
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.queries import kept_that_end, settled_rounds
from abs_platform.vouchers.redeeming import Client
from abs_platform.vouchers.service import forget_households
from abs_platform.vouchers.states import VoucherState
from abs_platform.work import service as work
from abs_platform.work.states import WorkKind

CHANNELS = (Channel.ONLINE, Channel.ONLINE, Channel.DESK)


class Posting:
    """What happens to letters after they were sent."""

    def __init__(self, line: Timeline, rounds: Rounds, coordinating: Coordinating) -> None:
        self.line, self.rounds, self.coordinating = line, rounds, coordinating
        self.told = line.data.rounds
        self.run_id: int | None = None
        self.order_id = 0
        self._kept: dict[int, int] = {}

    def plan(self) -> None:
        """Plan all of it."""
        line, lost, back = self.line, self.told["lost"], self.told["returned"]
        asked = [HOT] * lost["hot_asked"] + [LOST] * lost["asked"] + [""] * lost["given_meanwhile"]
        self._plan_asking(asked, lost["asked_ago"])
        line.at(line.at_the_office(line.day(lost["printed_ago"])), self._print)
        self._plan_asking([HOT] * lost["hot_waiting"] + [LOST] * lost["waiting"], lost["waiting_ago"])
        scanned = line.day(back["days_ago"], hour=14)
        for number, why in enumerate(back["reasons"]):
            line.at(scanned + dt.timedelta(seconds=20 * number), self._scan(ReturnReason(why)))
        for number, kept in enumerate(self.told["kept"]):
            line.at(line.day(kept["days_ago"], hour=20), self._keep(number, kept))
            if "to" in kept:
                line.at(line.day(kept["given_ago"], hour=21), self._give(number, kept))
        line.at(line.day(2, hour=8), _remind)
        line.at(line.day(1, hour=3.5), self._prove)

    def _plan_asking(self, which: list[str], days_ago: list[int]) -> None:
        moments = between(self.line.day(days_ago[0]), self.line.day(days_ago[1]), len(which))
        for number, (moment, kind) in enumerate(zip(moments, which, strict=True)):
            self.line.at(moment, self._ask(kind, number))

    def _ask(self, kind: str, number: int) -> Action:
        """Without a kind: for a letter that did arrive, and whose voucher was given."""

        def act(session: Session, now: dt.datetime) -> None:
            stock = self.rounds.stocks[OPEN]
            nonce = stock.aside[kind].pop() if kind else self._given(session, number)
            channel = CHANNELS[number % len(CHANNELS)]
            client = attempts.digest(self.line.settings.secret_key, f"aanvraag {kind} {number}")
            most = self.line.settings.rules.replacements_per_client
            by = self._desk_worker(session, now).actor() if channel == Channel.DESK else GIVER
            address = address_of_letter(session, nonce)
            ask(session, address, channel=channel, client=client, most=most, actor=by, now=now)

        return act

    def _given(self, session: Session, number: int) -> bytes:
        given = (
            select(Voucher.nonce)
            .where(Voucher.round_id == self.rounds.round_id(OPEN), Voucher.state == VoucherState.GIVEN.value)
            .order_by(Voucher.state_changed_at, Voucher.id)
        )
        return session.scalars(given.offset(number).limit(1)).one()

    def _desk_worker(self, session: Session, now: dt.datetime) -> User:
        return staff_member(session, self.told["returned"]["by"], Role.DESK, now)

    def _print(self, session: Session, now: dt.datetime) -> None:
        """The coordinator lets all that waits be printed, and asks for the letters; see demo.pressing."""
        user, round_id = self.coordinating.coordinator(session, now), self.rounds.round_id(OPEN)
        (expected,) = [post.waiting for post in post_of_rounds(session, now) if post.round_id == round_id]
        keys = self.line.keys
        printed = print_requests(session, round_id, expected=expected, keys=keys, actor=user.actor(), now=now)
        self.run_id = printed.run_id
        if printed.run_id is not None:
            key, params = order_key(printed.run_id), {"run_id": printed.run_id}
            order = work.order(
                session, WorkKind.MAKE_LETTERS, key=key, params=params, account_id=user.account_id, now=now
            )
            self.order_id = order.id

    def _scan(self, why: ReturnReason) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            keys, worker = self.line.keys, self._desk_worker(session, now)
            digest = keys.digest(keys.payload(self.rounds.stocks[OPEN].aside[LOST].pop()))
            scan(session, digest, why, account_id=worker.account_id, actor=worker.actor(), now=now)

        return act

    def _keep(self, number: int, told: dict[str, Any]) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            line, nonce = self.line, self.rounds.stocks[told["round"]].take()
            user = user_of(session, told["by"], address_of(told["by"]), now=now)
            digest, rules = (
                attempts.digest(line.settings.secret_key, user.email),
                rules_at(session, line.settings.rules),
            )
            client, payload = Client(digest, digest), line.keys.payload(nonce)
            keep(session, payload, user.account_id, client, keys=line.keys, rules=rules, now=now).or_raise()
            self._kept[number] = session.scalars(select(Voucher.id).where(Voucher.nonce == nonce)).one()

        return act

    def _give(self, number: int, told: dict[str, Any]) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user, initiative_id = (
                user_of(session, told["by"], address_of(told["by"]), now=now),
                self.line.ids[told["to"]],
            )
            give_kept(session, self._kept[number], user.account_id, initiative_id, details=GiftDetails(), now=now)

        return act

    def _rules(self, session: Session) -> Rules:
        return rules_at(session, self.line.settings.rules)

    def _prove(self, session: Session, now: dt.datetime) -> None:
        """Last night's jobs: figures, proofs, and forgetting who held the vouchers of a round that is settled."""
        settled = settled_rounds(session, now - dt.timedelta(days=self.line.settings.rules.settled_after_days))
        for one in rounds_with_figures(session):
            keep_figures(session, one.id, is_final=one.id in settled, now=now)
            keep_proof(session, one.id, fault_count=len(prove(session, one.id).faults), now=now)
            if one.id in settled:
                forget_households(session, one.id, actor=JOB, now=now)


def _remind(session: Session, now: dt.datetime) -> None:
    for ending in kept_that_end(session, now, now + KEPT_FIRST_CALL):
        remind_keeper(session, ending, now=now)
