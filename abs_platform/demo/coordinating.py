# SPDX-License-Identifier: EUPL-1.2
"""The coordinator of the demo: numbers of the rules, budgets, the text of the letter, help points, the next round."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.accounts.service import account_of_email
from abs_platform.areas.helping import NOTHING_YET, HelpPointInput, set_help_point
from abs_platform.clock import local_date
from abs_platform.demo.timeline import Timeline
from abs_platform.demo.writing import area_of
from abs_platform.households.models import Household
from abs_platform.letters.content import default_content
from abs_platform.letters.writing import approve, save_text
from abs_platform.municipality import Rules
from abs_platform.rounds.budgeting import set_budget
from abs_platform.rule_settings.queries import values_set
from abs_platform.rule_settings.service import change_rule, forget_rules
from abs_platform.users import Role, User

LEAD = dt.timedelta(days=14)
# A year's budget: with so much to spare, and in euros that a council would name.
PERCENT_OF_A_ROUND, PERCENT_OF_SMALL_ROUNDS, PERCENT_WHEN_SHORT = 110, 50, 60
ROUNDED_TO_CENTS = 10_000_00


def staff_member(session: Session, email: str, role: Role, now: dt.datetime) -> User:
    """Somebody of people.toml at work in one of her roles."""
    account = account_of_email(session, email, now=now)
    return User(account_id=account.id, email=email, name=account.name, roles=frozenset({role}))


def rules_at(session: Session, in_file: Rules) -> Rules:
    """The numbers in force at that moment of the history."""
    return replace(in_file, **values_set(session))


class Coordinating:
    """What the coordinator did before the first round, and does between them."""

    def __init__(self, line: Timeline) -> None:
        self.line, self.told = line, line.data.rounds
        self.text_id: int | None = None

    def coordinator(self, session: Session, now: dt.datetime) -> User:
        """Who coordinates."""
        return staff_member(session, self.line.data.desk["coordinator"], Role.COORDINATOR, now)

    def plan(self, opened_ago: list[int]) -> None:
        """Plan all of it. ``opened_ago``: when rounds opened, in days; the last one is the large one."""
        line = self.line
        for told in self.told["setting"]:
            line.at(line.day(told["days_ago"], hour=11), partial(self._set, told))
        letter = self.told["letter"]
        line.at(line.day(letter["days_ago"], hour=10), self._write)
        line.at(line.day(letter["days_ago"] - 2, hour=15), self._approve)
        line.at(line.day(letter["days_ago"] - 5, hour=13), self._place_help_points)
        opens = [line.day(days) for days in opened_ago]
        budgets = self.told["budget"]
        line.at(line.day(budgets["days_ago"], hour=10), partial(self._set_budgets, opens))

    def next_dates(self) -> tuple[dt.datetime, dt.datetime]:
        """When the round that is planned opens and closes."""
        told = self.told["next"]
        return self.line.day(-told["opens_in"]), self.line.day(-told["closes_in"], hour=24)

    def _set(self, told: dict[str, Any], session: Session, now: dt.datetime) -> None:
        user, in_file = self.coordinator(session, now), self.line.settings.rules
        seen = getattr(rules_at(session, in_file), told["name"])
        change_rule(
            session,
            told["name"],
            told["value"],
            seen_value=seen,
            reason=told["reason"],
            in_file=in_file,
            account_id=user.account_id,
            actor=user.actor(),
            now=now,
        )
        forget_rules()

    def _write(self, session: Session, now: dt.datetime) -> None:
        user, note = self.coordinator(session, now), self.told["letter"]["note"]
        content, by_id = default_content(self.line.settings.municipality), user.account_id
        text = save_text(session, content, seen_version=0, note=note, account_id=by_id, actor=user.actor(), now=now)
        self.text_id = text.id

    def _approve(self, session: Session, now: dt.datetime) -> None:
        user = self.coordinator(session, now)
        if self.text_id is not None:
            approve(session, self.text_id, account_id=user.account_id, actor=user.actor(), now=now)

    def _place_help_points(self, session: Session, now: dt.datetime) -> None:
        actor = self.coordinator(session, now).actor()
        for told in self.told["help_point"]:
            fields = {name: value for name, value in told.items() if name != "district"}
            point = HelpPointInput(**fields)
            district_id = area_of(session, told["district"])
            set_help_point(session, district_id, point, seen=NOTHING_YET, actor=actor, now=now)

    def _set_budgets(self, opens: list[dt.datetime], session: Session, now: dt.datetime) -> None:
        """Enough for the rounds that were; not yet enough for the one that is planned."""
        homes = session.scalar(select(func.count()).select_from(Household)) or 0
        a_round = homes * self.line.settings.rules.voucher_amount_cents
        user, told = self.coordinator(session, now), self.told["budget"]
        *small, large = [local_date(moment - LEAD).year for moment in opens]
        planned, today = local_date(self.next_dates()[0] - LEAD).year, local_date(self.line.now).year
        for year in sorted({*small, large, planned, today, today + 1}):
            percent = PERCENT_OF_A_ROUND * (year == large) + PERCENT_OF_SMALL_ROUNDS * (year in small)
            percent += PERCENT_WHEN_SHORT * (year == planned)
            cents = a_round * (percent or 100) // 100 // ROUNDED_TO_CENTS * ROUNDED_TO_CENTS
            reason = told["short_reason" if year == planned else "reason"] % {"year": year}
            set_budget(session, year, cents, reason=reason, actor=user.actor(), now=now)
