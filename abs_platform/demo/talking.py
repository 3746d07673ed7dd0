# SPDX-License-Identifier: EUPL-1.2
"""Residents of the demo ask, answer, report and offer help."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import attempts
from abs_platform.demo.deciding import manager_of
from abs_platform.demo.timeline import Action, Timeline
from abs_platform.demo.writing import address_of, user_of
from abs_platform.help_offers import service as help_offers
from abs_platform.initiatives.models import InitiativeNeed
from abs_platform.questions import service as questions
from abs_platform.questions.states import Voice
from abs_platform.users import User

WELCOMED = {"accepted": help_offers.accept, "thanked": help_offers.thank}


class Talking:
    """Questions and offers of help. A resident is known by the name, and gets an account with the first word."""

    def __init__(self, line: Timeline) -> None:
        self.line = line
        self._posts: dict[tuple[str, int], int] = {}
        self._offers: dict[int, int] = {}

    def plan(self) -> None:
        """All questions with what became of them, and all offers of help."""
        for number, question in enumerate(self.line.data.questions):
            self._plan_question(number, question)
        for number, offer in enumerate(self.line.data.offers):
            offered = self.line.day(offer["days_ago"], hour=16)
            self.line.at(offered, self._offer(number, offer))
            if "state" in offer:
                self.line.at(offered + dt.timedelta(days=1), self._welcome(number, offer))

    def _plan_question(self, number: int, question: dict[str, Any]) -> None:
        asked = self.line.day(question["days_ago"], hour=19 + number % 3)
        place = (question["key"], number)
        self.line.at(asked, self._ask(place, question))
        for answer in question.get("answers", []):
            answered = asked + dt.timedelta(hours=answer.get("hours", 14))
            self.line.at(answered, self._answer(place, Voice(answer["voice"]), answer["body"]))
        if "report" in question:
            self.line.at(asked + dt.timedelta(hours=12), self._report(place, question["report"]))
        if "hidden" in question:
            self.line.at(asked + dt.timedelta(hours=20), self._hide(place, question["hidden"]))

    def _resident(self, session: Session, name: str, now: dt.datetime) -> tuple[User, bytes]:
        user = user_of(session, name, address_of(name), now=now)
        return user, attempts.digest(self.line.settings.secret_key, user.email)

    def _ask(self, place: tuple[str, int], question: dict[str, Any]) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user, key = self._resident(session, question["by"], now)
            post = questions.ask(
                session,
                self.line.ids[place[0]],
                question["body"],
                author_id=user.account_id,
                name=user.name,
                key=key,
                actor=user.actor(),
                now=now,
            )
            self._posts[place] = post.id

        return act

    def _answer(self, place: tuple[str, int], voice: Voice, body: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            is_official = voice == Voice.OFFICIAL
            user = manager_of(session, self.line.ids[place[0]], now) if is_official else self.line.people[place[0]][0]
            questions.answer(
                session,
                self._posts[place],
                body,
                voice=voice,
                author_id=user.account_id,
                key=attempts.digest(self.line.settings.secret_key, user.email),
                actor=user.actor(),
                now=now,
            )

        return act

    def _report(self, place: tuple[str, int], report: dict[str, Any]) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user, key = self._resident(session, report["by"], now)
            questions.report(
                session,
                self._posts[place],
                report["reason"],
                reporter_id=user.account_id,
                key=key,
                actor=user.actor(),
                now=now,
            )

        return act

    def _hide(self, place: tuple[str, int], reason: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user = manager_of(session, self.line.ids[place[0]], now)
            questions.hide(session, self._posts[place], reason, by_id=user.account_id, actor=user.actor(), now=now)

        return act

    def _offer(self, number: int, offer: dict[str, Any]) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user, key = self._resident(session, offer["by"], now)
            initiative_id = self.line.ids[offer["key"]]
            need_id = session.scalars(
                select(InitiativeNeed.id).where(
                    InitiativeNeed.initiative_id == initiative_id, InitiativeNeed.position == offer["need"]
                )
            ).one()
            made = help_offers.offer_help(
                session,
                initiative_id,
                need_id,
                account_id=user.account_id,
                name=user.name,
                note=offer["note"],
                key=key,
                actor=user.actor(),
                now=now,
            )
            self._offers[number] = made.id

        return act

    def _welcome(self, number: int, offer: dict[str, Any]) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user, verb = self.line.initiator(offer["key"]), WELCOMED[offer["state"]]
            verb(
                session,
                self._offers[number],
                actor=user.actor(),
                now=now,
                by_id=user.account_id,
            )

        return act
