# SPDX-License-Identifier: EUPL-1.2
"""What organisers of the demo tell when the money is there: news, thanks, and how it went with what it cost."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from abs_platform.accountability import deciding
from abs_platform.accountability import service as accountability
from abs_platform.accountability.queries import find
from abs_platform.demo.deciding import manager_of
from abs_platform.demo.receipts import receipt_of
from abs_platform.demo.timeline import Action, Timeline, between
from abs_platform.media.keeping import kept_receipt
from abs_platform.updates import service as updates
from abs_platform.users import User


class Telling:
    """News and accountability."""

    def __init__(self, line: Timeline) -> None:
        self.line = line

    def plan_news(self, key: str, start: dt.datetime, end: dt.datetime, *, is_funded: bool) -> None:
        """The thanks soon after the last gift, and the updates spread over what follows."""
        line, news = self.line, self.line.data.news.get(key, {})
        if is_funded:
            line.at(start + dt.timedelta(minutes=5), self._tell_of_funding(key))
        if "thanks" in news:
            line.at(start + (end - start) * 0.1, self._thank(key, news["thanks"]))
        posts = news.get("updates", [])
        for number, (moment, post) in enumerate(zip(between(start, end, len(posts)), posts, strict=True)):
            line.at(moment, self._post(key, number, post))

    def plan_account(self, key: str, begun: dt.datetime, done: dt.datetime | None) -> None:
        """How it went: written after the work, sent, perhaps returned once, and approved when it is ``done``."""
        account = self.line.data.accounts.get(key)
        if account is None:
            return
        sent = done - dt.timedelta(days=8) if done else self.line.working_day(account["working_days_ago"], hour=19.5)
        self.line.at(
            max(sent - dt.timedelta(days=1), begun), lambda session, now: self._write(session, key, account, now)
        )
        if account.get("is_sent", True):
            self.line.at(sent, self._submit(key))
        if "remark" in account:
            returned = self.line.at_the_office(sent + dt.timedelta(days=1))
            self.line.at(returned, self._send_back(key, account["remark"]))
            if done:
                self.line.at(returned + dt.timedelta(hours=9), self._submit(key))
        if done:
            self.line.at(done, self._approve(key))

    def _tell_of_funding(self, key: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            secret_key, actor = self.line.settings.secret_key, self.line.initiator(key).actor()
            updates.tell_of_funding(session, self.line.ids[key], secret_key=secret_key, actor=actor, now=now)

        return act

    def _thank(self, key: str, body: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user = self.line.initiator(key)
            updates.thank(
                session,
                self.line.ids[key],
                body.strip(),
                author_id=user.account_id,
                secret_key=self.line.settings.secret_key,
                actor=user.actor(),
                now=now,
            )

        return act

    def _post(self, key: str, number: int, post: dict[str, Any]) -> Action:
        """The organisers take turns in writing."""

        def act(session: Session, now: dt.datetime) -> None:
            people: list[User] = self.line.people[key]
            user = people[number % len(people)]
            update = updates.start_update(
                session,
                self.line.ids[key],
                post["title"],
                post["body"].strip(),
                author_id=user.account_id,
                actor=user.actor(),
                now=now,
            )
            if not post.get("is_draft"):
                updates.post_update(
                    session, update.id, secret_key=self.line.settings.secret_key, actor=user.actor(), now=now
                )

        return act

    def _write(self, session: Session, key: str, account: dict[str, Any], now: dt.datetime) -> None:
        initiative_id, user = self.line.ids[key], self.line.initiator(key)
        by_id, actor = user.account_id, user.actor()
        accountability.save_story(
            session, initiative_id, account["story"].strip(), version=0, by_id=by_id, actor=actor, now=now
        )
        for position, (cents, reason) in enumerate(account["costs"], start=1):
            cost = accountability.CostInput(actual_cents=cents, no_receipt_reason=reason)
            accountability.save_cost(session, initiative_id, position, cost, by_id=by_id, actor=actor, now=now)
            if cents and not reason:
                pdf = receipt_of(self.line.settings.municipality.name, account["shops"][position - 1], cents, now)
                with kept_receipt(self.line.store, pdf) as kept:
                    accountability.add_receipt(
                        session, initiative_id, position, kept, f"bon-{position}.pdf", by_id=by_id, actor=actor, now=now
                    )

    def _submit(self, key: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            user = self.line.initiator(key)
            accountability.submit(session, self.line.ids[key], by_id=user.account_id, actor=user.actor(), now=now)

        return act

    def _send_back(self, key: str, remark: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            initiative_id = self.line.ids[key]
            user, seen = manager_of(session, initiative_id, now), _seen(session, initiative_id)
            deciding.send_back(
                session, initiative_id, remark, seen=seen, by_id=user.account_id, actor=user.actor(), now=now
            )

        return act

    def _approve(self, key: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            initiative_id = self.line.ids[key]
            user = manager_of(session, initiative_id, now)
            deciding.approve(
                session,
                initiative_id,
                seen=_seen(session, initiative_id),
                by_id=user.account_id,
                secret_key=self.line.settings.secret_key,
                actor=user.actor(),
                now=now,
            )

        return act


def _seen(session: Session, initiative_id: int) -> str:
    """Which sending lies at the desk, as its screen writes it."""
    account = find(session, initiative_id)
    if account is None or account.submitted_at is None:
        raise LookupError(f"initiative {initiative_id} did not account for anything")
    return account.submitted_at.isoformat()
