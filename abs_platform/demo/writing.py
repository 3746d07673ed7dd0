# SPDX-License-Identifier: EUPL-1.2
"""Organisers of the demo write: accounts, a working copy with the rules check, sending, and changing what is live."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import attempts
from abs_platform.accounts.service import account_of_email
from abs_platform.accounts.verifying import verify_by_code
from abs_platform.areas.queries import id_of_code
from abs_platform.demo.timeline import Action, Timeline
from abs_platform.households.models import Household
from abs_platform.initiatives import inviting, proposals, submitting
from abs_platform.initiatives.states import Theme
from abs_platform.slugs import slugify
from abs_platform.users import User
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.redeeming import Client

BEGUN_BEFORE = dt.timedelta(days=6)
CONFIRMED_AFTER = dt.timedelta(days=2)


def user_of(session: Session, name: str, email: str, *, now: dt.datetime) -> User:
    """A resident with an account, who can be signed in as."""
    account = account_of_email(session, email, now=now)
    account.name = name
    return User(account_id=account.id, email=email, name=name)


def area_of(session: Session, code: str) -> int:
    """The area with this code."""
    area_id = id_of_code(session, code)
    if area_id is None:
        raise LookupError(f"no area {code}")
    return area_id


class Writing:
    """Initiatives as they are written."""

    def __init__(self, line: Timeline) -> None:
        self.line = line

    def plan_draft(self, item: dict[str, Any], submitted: dt.datetime, deadline: dt.date) -> None:
        """Begun some days before it was sent, carried by all who were asked."""
        begun = submitted - BEGUN_BEFORE
        self.line.at(begun, lambda session, now: self._create(session, item, deadline, now))
        self.line.at(begun + CONFIRMED_AFTER, lambda session, now: self._write_on(session, item, now))

    def send(self, key: str) -> Action:
        """The initiator sends what was written."""

        def act(session: Session, now: dt.datetime) -> None:
            user, rules = self.line.initiator(key), self.line.settings.rules
            proposals.send(
                session, self.line.ids[key], rules=rules, account_id=user.account_id, actor=user.actor(), now=now
            )

        return act

    def save(self, key: str, changes: dict[str, Any]) -> Action:
        """The initiator writes something else."""
        return lambda session, now: self._save(session, key, changes, now)

    def change(self, change: dict[str, Any]) -> Action:
        """A change of what was published: what givers relied on waits for the desk, the rest is live at once."""

        def act(session: Session, now: dt.datetime) -> None:
            self._save(session, change["key"], self._content(session, change), now)
            self.send(change["key"])(session, now)

        return act

    def invite(self, key: str, name: str) -> Action:
        """Somebody is asked by mail, and has not answered yet."""

        def act(session: Session, now: dt.datetime) -> None:
            user, secret_key = self.line.initiator(key), self.line.settings.secret_key
            initiative_id, email = self.line.ids[key], address_of(name)
            actor = user.actor()
            inviting.invite(session, initiative_id, name=name, email=email, secret_key=secret_key, actor=actor, now=now)

        return act

    def verify(self, item: dict[str, Any]) -> Action:
        """The initiator had the letter of the own address in the hands."""

        def act(session: Session, now: dt.datetime) -> None:
            line, person, user = self.line, item["organisers"][0], self.line.initiator(item["key"])
            nonce = session.scalar(
                select(Voucher.nonce)
                .join(Household, Household.id == Voucher.household_id)
                .where(
                    Household.postcode == person["postcode"],
                    Household.house_number == person["house_number"],
                    Household.house_letter == "",
                    Household.house_addition == "",
                )
                .order_by(Voucher.id.desc())
                .limit(1)
            )
            if nonce is not None:
                digest = attempts.digest(line.settings.secret_key, user.email)
                verify_by_code(
                    session,
                    user.account_id,
                    line.keys.payload(nonce),
                    Client(digest, digest),
                    keys=line.keys,
                    rules=line.settings.rules,
                    actor=user.actor(),
                    now=now,
                )

        return act

    def _create(self, session: Session, item: dict[str, Any], deadline: dt.date, now: dt.datetime) -> None:
        users = [user_of(session, one["name"], address_of(one["name"]), now=now) for one in item["organisers"]]
        people = [_person(one, user) for one, user in zip(item["organisers"], users, strict=True)]
        budget = [(budget["description"], budget["amount_cents"]) for budget in item["budget"]]
        draft = submitting.Draft(
            title=item["title"],
            summary=item["summary"],
            story=item["story"],
            theme=Theme(item["theme"]),
            area_id=area_of(session, item["area"]),
            place_description=item["place_description"],
            target_cents=sum(cents for _description, cents in budget),
            deadline_on=deadline,
            budget=budget,
        )
        actor = users[0].actor()
        initiative = submitting.create_draft(session, draft, people[0], actor=actor, now=now)
        self.line.ids[item["key"]], self.line.people[item["key"]] = initiative.id, users
        for person in people[1:]:
            submitting.add_co_organiser(session, initiative.id, person, actor=actor, now=now)

    def _write_on(self, session: Session, item: dict[str, Any], now: dt.datetime) -> None:
        """The others say yes, and what the first page did not ask is filled in."""
        key, data = item["key"], self.line.data
        everybody = inviting.organisers_of(session, self.line.ids[key])
        for organiser, user in zip(everybody[1:], self.line.people[key][1:], strict=True):
            submitting.confirm_co_organiser(session, organiser.id, actor=user.actor(), now=now)
        plan = data.plans.get(key, {})
        answers = data.answers[item["theme"]] | plan.get("answers", {})
        changes: dict[str, Any] = {name: plan[name] for name in ("audience", "planning", "needs") if name in plan}
        self._save(session, key, changes | {"rule_answers": answers}, now)

    def _content(self, session: Session, change: dict[str, Any]) -> dict[str, Any]:
        changes = dict(change["to"])
        if "deadline_in_days" in changes:
            before = proposals.working_copy(session, self.line.ids[change["key"]]).content["deadline_on"]
            later = dt.date.fromisoformat(before) + dt.timedelta(days=changes.pop("deadline_in_days"))
            changes["deadline_on"] = later.isoformat()
        return changes

    def _save(self, session: Session, key: str, changes: dict[str, Any], now: dt.datetime) -> None:
        initiative_id, user = self.line.ids[key], self.line.initiator(key)
        version = proposals.working_copy(session, initiative_id).version
        proposals.save(session, initiative_id, changes, version=version, account_id=user.account_id, now=now)


def address_of(name: str) -> str:
    """The e-mail address of somebody who was invented."""
    return f"{slugify(name)}@voorbeeld.example"


def _person(given: dict[str, Any], user: User) -> submitting.Person:
    return submitting.Person(
        name=given["name"],
        email=user.email,
        postcode=given["postcode"],
        house_number=str(given["house_number"]),
        account_id=user.account_id,
    )
