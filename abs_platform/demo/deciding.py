# SPDX-License-Identifier: EUPL-1.2
"""The desks of the demo at work: taking up, ticking, talking, deciding, handing over, and a stand-in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from abs_platform.accounts.absences import add_absence
from abs_platform.accounts.queries import district_managers
from abs_platform.accounts.service import account_of_email
from abs_platform.clock import local_date
from abs_platform.demo.timeline import Action, Timeline
from abs_platform.demo.writing import Writing, area_of
from abs_platform.initiatives.states import OverridableRule
from abs_platform.initiatives.subjects import subject_of
from abs_platform.moderation import deciding, service
from abs_platform.moderation.letters import Choice
from abs_platform.moderation.states import DecisionKind, FixedCheck
from abs_platform.users import Role, User

_K = DecisionKind
WITH_A_NOTE = 0.4


def manager_of(session: Session, initiative_id: int, now: dt.datetime) -> User:
    """Who works at the desk of an initiative on that day, stand-ins too."""
    area_id = subject_of(session, initiative_id).desk_area_id
    if area_id is None:
        raise LookupError(f"initiative {initiative_id} lies at no desk")
    account_id, email, name = district_managers(session, area_id, local_date(now))[0]
    desks = frozenset({area_id})
    roles = frozenset({Role.DISTRICT_MANAGER})
    return User(account_id=account_id, email=email, name=name, roles=roles, own_area_ids=desks, desk_area_ids=desks)


class Desk:
    """What staff do."""

    def __init__(self, line: Timeline, writing: Writing) -> None:
        self.line, self.writing = line, writing

    def plan(self) -> None:
        """The absence of today, the changes after publishing, and all that is said and noted about initiatives."""
        desk = self.line.data.desk
        self.line.at(self.line.day(desk["absence"]["from_days_ago"]), self._be_absent)
        for change in desk["changes"]:
            moment = self.line.working_day(change["working_days_ago"], hour=20)
            self.line.at(moment, self.writing.change(change))
            if "decision" in change:
                answered = self.line.working_day(change["working_days_ago"] - 2, hour=10.5)
                self.line.at(answered, self.decide(change["key"], _K(change["decision"]), change.get("reason", "")))
        for case in desk["cases"]:
            self._plan_case(case)

    def decide(self, key: str, kind: DecisionKind, reason: str = "", to: str = "") -> Action:
        """A decision in its two steps, by who works at that desk on that day."""

        def act(session: Session, now: dt.datetime) -> None:
            initiative_id, rules = self.line.ids[key], self.line.settings.rules
            user = manager_of(session, initiative_id, now)
            choice = Choice(kind=kind, reason=reason, to_area_id=area_of(session, to) if to else None)
            deciding.keep_draft(session, initiative_id, choice, user=user, now=now)
            prepared = deciding.prepare(session, initiative_id, user=user, rules=rules, now=now)
            if prepared is None:
                raise LookupError(f"{key}: nothing to decide")
            shown = prepared.letter.digest
            deciding.give(session, initiative_id, shown=shown, is_sure=True, user=user, rules=rules, now=now)

        return act

    def publish(self, key: str) -> Action:
        """Published, often with a kind word."""
        notes, chance = self.line.data.desk["publish_notes"], self.line.chance
        return self.decide(key, _K.PUBLISH, chance.choice(notes) if chance.random() < WITH_A_NOTE else "")

    def set_aside_maximum(self, key: str, reason: str) -> Action:
        """The coordinator lets this one ask for more than the maximum."""

        def act(session: Session, now: dt.datetime) -> None:
            email = self.line.data.desk["coordinator"]
            account = account_of_email(session, email, now=now)
            roles = frozenset({Role.COORDINATOR})
            user = User(account_id=account.id, email=email, name=account.name, roles=roles)
            service.set_aside(session, self.line.ids[key], OverridableRule.MAXIMUM, reason, user=user, now=now)

        return act

    def _be_absent(self, session: Session, now: dt.datetime) -> None:
        absence = self.line.data.desk["absence"]
        who, instead = (account_of_email(session, absence[name], now=now) for name in ("who", "stand_in"))
        first = local_date(now)
        last = first + dt.timedelta(days=absence["days"])
        actor = User(account_id=who.id, email=absence["who"], name=who.name, roles=frozenset(Role)).actor()
        add_absence(session, who.id, instead.id, first, last, actor=actor, now=now)

    def _plan_case(self, case: dict[str, Any]) -> None:
        key, line = case["key"], self.line
        if "taken_up" in case:
            line.at(line.working_day(case["taken_up"], hour=9.25), self._take_up(key))
        if "ticks" in case:
            line.at(line.working_day(case["taken_up"], hour=9.5), self._tick(key, case["ticks"]))
        for place, said in enumerate(case.get("said", [])):
            line.at(
                line.working_day(said["working_days_ago"], hour=said.get("hour", 11) + place / 60), self._say(key, said)
            )
        if "draft" in case:
            line.at(line.working_day(0, hour=8.5), self._draft(key, case["draft"]))

    def _take_up(self, key: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user = manager_of(session, self.line.ids[key], now)
            service.take_up(session, self.line.ids[key], seen_handler_id=0, user=user, now=now)

        return act

    def _tick(self, key: str, number: int) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user = manager_of(session, self.line.ids[key], now)
            lines = [check.value for check in FixedCheck]
            service.keep_checklist(
                session, self.line.ids[key], shown=lines, seen=[], ticked=lines[:number], user=user, now=now
            )

        return act

    def _say(self, key: str, said: dict[str, Any]) -> Action:
        """A note among colleagues, a message of the desk or one of the organisers."""

        def act(session: Session, now: dt.datetime) -> None:
            initiative_id, text = self.line.ids[key], said["text"]
            if said["by"] == "organiser":
                service.write_to_desk(session, initiative_id, text, user=self.line.initiator(key), now=now)
                return
            user = manager_of(session, initiative_id, now)
            if said["by"] == "note":
                service.add_note(session, initiative_id, text, user=user, now=now)
            else:
                service.write_to_organisers(session, initiative_id, text, user=user, now=now)

        return act

    def _draft(self, key: str, draft: dict[str, Any]) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user = manager_of(session, self.line.ids[key], now)
            choice = Choice(kind=_K(draft["kind"]), reason=draft["reason"])
            deciding.keep_draft(session, self.line.ids[key], choice, user=user, now=now)

        return act
