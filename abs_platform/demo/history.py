# SPDX-License-Identifier: EUPL-1.2
"""A history for the demo: what happened to every initiative, told by the real service verbs in the order of time."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.actors import GIVER, Actor
from abs_platform.areas.queries import id_of_code
from abs_platform.config import Settings
from abs_platform.demo.story import Story
from abs_platform.donations.queries import due_back_with_plan_b
from abs_platform.donations.service import GiftDetails, give_voucher, return_to_plan_b, return_vouchers
from abs_platform.donations.states import Channel
from abs_platform.initiatives import service, submitting
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.states import Theme
from abs_platform.rounds.service import plan_round
from abs_platform.slugs import slugify
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.service import expire_round

Action = Callable[[Session], None]

ORGANISERS = Actor("organiser")
MODERATOR = Actor("staff", "demo")
JOB = Actor("job", "demo")
NAMED_SHARE, MESSAGE_SHARE, PLAN_B_SHARE = 0.35, 0.5, 0.2
CHANNELS, CHANNEL_SHARES = (Channel.ONLINE, Channel.ORGANISER, Channel.DESK), (88, 8, 4)
_REACHED = {State.FUNDED, State.IN_PROGRESS, State.REALISED}
# So long ago, at least, an initiative that is this far got its last gift.
_DAYS_SINCE_LAST_GIFT = {State.FUNDED: 1, State.IN_PROGRESS: 15, State.REALISED: 75}
_WAS_PUBLISHED = {State.PUBLISHED, State.EXPIRED, State.STOPPED, State.WITHDRAWN, *_REACHED}


class History:
    """Timed actions. Planned first, then done in the order of their time; each is one short step in a transaction."""

    def __init__(
        self, settings: Settings, keys: CodeKeys, data: Story, chance: random.Random, now: dt.datetime
    ) -> None:
        self.settings, self.keys, self.data, self.chance, self.now = settings, keys, data, chance, now
        self.gift_count = 0
        self._order = count()
        self._actions: list[tuple[dt.datetime, int, Action]] = []
        self._ids: dict[str, int] = {}
        self._unused: dict[str, Iterator[bytes]] = {}
        self._rounds: list[tuple[str, dt.datetime, dt.datetime]] = []
        self._round_ids: dict[str, int] = {}

    def actions_in_order(self) -> list[Action]:
        """All that happens, in the order of time."""
        return [action for _moment, _order, action in sorted(self._actions, key=lambda item: item[:2])]

    def plan(self, closed_round: tuple[int, int], open_round: tuple[int, int]) -> None:
        """Plan both rounds (given in days before now: opening, closing), the initiatives and their gifts."""
        self._plan_round(*closed_round, self.data.closed_round_districts)
        self._plan_round(*open_round, [])
        for item in self.data.initiatives:
            self._plan_initiative(item, State(item["state"]))

    def _at(self, moment: dt.datetime, action: Action) -> None:
        self._actions.append((moment, next(self._order), action))

    def _day(self, days_ago: float, hour: int = 9) -> dt.datetime:
        day = clock.local_date(self.now - dt.timedelta(days=days_ago))
        return clock.start_of_day(day) + dt.timedelta(hours=hour)

    def _plan_round(self, opens_ago: int, closes_ago: int, districts: list[str]) -> None:
        opens_at, closes_at = self._day(opens_ago), self._day(closes_ago, hour=24)
        season = "Voorjaar" if opens_at.month <= 6 else "Najaar"
        name = f"{season} {opens_at.year}"
        issued_at = opens_at - dt.timedelta(days=14)
        self._rounds.append((name, opens_at, closes_at))

        def plan(session: Session) -> None:
            round_ = plan_round(
                session,
                name=name,
                issue_on=clock.local_date(issued_at),
                opens_at=opens_at,
                closes_at=closes_at,
                amount_cents=self.settings.rules.voucher_amount_cents,
                districts=districts,
                rules=self.settings.rules,
                actor=MODERATOR,
                now=issued_at - dt.timedelta(days=30),
            )
            self._round_ids[name] = round_.id

        def issue(session: Session) -> None:
            round_id = self._round_ids[name]
            issue_vouchers(session, round_id, keys=self.keys, actor=JOB, now=issued_at)
            digests = select(Voucher.code_digest).where(Voucher.round_id == round_id).order_by(Voucher.id)
            shuffled = list(session.scalars(digests))
            self.chance.shuffle(shuffled)
            self._unused[name] = iter(shuffled)

        def expire(session: Session) -> None:
            expire_round(session, self._round_ids[name], actor=JOB, now=closes_at)

        self._at(issued_at - dt.timedelta(days=30), plan)
        self._at(issued_at, issue)
        if closes_at < self.now:
            self._at(closes_at, expire)

    def _plan_initiative(self, item: dict[str, Any], state: State) -> None:
        published = self._day(item["published_days_ago"], hour=11) if state in _WAS_PUBLISHED else None
        submitted = (
            published - dt.timedelta(days=8) if published else self._day(item.get("submitted_days_ago", 2), hour=20)
        )
        deadline = clock.local_date(published or submitted) + dt.timedelta(days=item["deadline_days"])
        self._at(submitted - dt.timedelta(days=6), lambda session: self._create(session, item, deadline, submitted))
        if state == State.DRAFT:
            return
        verb = self._verb(item["key"])
        self._at(submitted, verb(submitting.submit, ORGANISERS, submitted, rules=self.settings.rules))
        answered = submitted + dt.timedelta(days=3)
        reason = item.get("reason", "")
        if state == State.CHANGES_REQUESTED:
            self._at(answered, verb(service.request_changes, MODERATOR, answered, reason=reason))
        if state == State.REJECTED:
            self._at(answered, verb(service.reject, MODERATOR, answered, reason=reason))
        if published:
            self._at(published, verb(service.publish, MODERATOR, published))
            self._plan_gifts(item, state, published, deadline)

    def _verb(self, key: str) -> Callable[..., Action]:
        def bind(verb: Callable[..., Any], actor: Actor, now: dt.datetime, **more: Any) -> Action:
            def act(session: Session) -> None:
                verb(session, self._ids[key], actor=actor, now=now, **more)

            return act

        return bind

    def _create(self, session: Session, item: dict[str, Any], deadline: dt.date, submitted: dt.datetime) -> None:
        area_id = id_of_code(session, item["area"])
        if area_id is None:
            raise LookupError(f"{item['key']}: no area {item['area']}")
        begun = submitted - dt.timedelta(days=6)
        budget = [(line["description"], line["amount_cents"]) for line in item["budget"]]
        draft = submitting.Draft(
            title=item["title"],
            summary=item["summary"],
            story=item["story"],
            theme=Theme(item["theme"]),
            area_id=area_id,
            place_description=item["place_description"],
            target_cents=sum(cents for _description, cents in budget),
            deadline_on=deadline,
            budget=budget,
        )
        people = [
            submitting.Person(
                name=person["name"],
                email=f"{slugify(person['name'])}@voorbeeld.example",
                postcode=person["postcode"],
                house_number=str(person["house_number"]),
            )
            for person in item["organisers"]
        ]
        initiative = submitting.create_draft(session, draft, people[0], actor=ORGANISERS, now=begun)
        self._ids[item["key"]] = initiative.id
        for person in people[1:]:
            organiser = submitting.add_co_organiser(session, initiative.id, person, actor=ORGANISERS, now=begun)
            confirmed = begun + dt.timedelta(days=2)
            submitting.confirm_co_organiser(session, organiser.id, actor=ORGANISERS, now=confirmed)

    def _plan_gifts(self, item: dict[str, Any], state: State, published: dt.datetime, deadline: dt.date) -> None:
        key, amount = item["key"], self.settings.rules.voucher_amount_cents
        target = sum(line["amount_cents"] for line in item["budget"])
        wanted = -(-target // amount) if state in _REACHED else int(item.get("progress", 0) * target / amount)
        latest = self.now - dt.timedelta(days=_DAYS_SINCE_LAST_GIFT.get(state, 0))
        moments = self._moments(published, min(clock.end_of_day(deadline), latest), wanted)
        for moment in moments:
            self._at(moment, self._gift(key, moment, may_fail=state in {State.EXPIRED, State.STOPPED, State.WITHDRAWN}))
        self.gift_count += len(moments)
        last = moments[-1] if moments else published
        verb = self._verb(key)
        if state in {State.IN_PROGRESS, State.REALISED}:
            begun = last + dt.timedelta(days=12)
            self._at(begun, verb(service.start, ORGANISERS, begun))
        if state == State.REALISED:
            done = last + dt.timedelta(days=60)
            self._at(done, verb(service.realise, MODERATOR, done))
        if state in {State.STOPPED, State.WITHDRAWN, State.EXPIRED}:
            self._plan_failure(item, state, last, deadline)

    def _plan_failure(self, item: dict[str, Any], state: State, last: dt.datetime, deadline: dt.date) -> None:
        verb, reason = self._verb(item["key"]), item.get("reason", "")
        ended = min(last + dt.timedelta(days=5), self.now - dt.timedelta(hours=2))
        if state == State.EXPIRED:
            ended = clock.end_of_day(deadline)
            self._at(ended, verb(service.expire_if_due, JOB, ended))
        elif state == State.STOPPED:
            self._at(ended, verb(service.stop, MODERATOR, ended, reason=reason))
        else:
            self._at(ended, verb(service.withdraw, ORGANISERS, ended, reason=reason))

        def give_back(session: Session) -> None:
            for donation_id in due_back_with_plan_b(session, self._ids[item["key"]]):
                gift = return_to_plan_b(session, donation_id, actor=JOB, now=ended, reason=state.value)
                if gift is not None:
                    service.close_if_funded(session, gift.initiative_id, actor=JOB, now=ended)
            while return_vouchers(session, self._ids[item["key"]], actor=JOB, now=ended, reason=state.value):
                pass

        self._at(ended, give_back)

    def _moments(self, start: dt.datetime, end: dt.datetime, wanted: int) -> list[dt.datetime]:
        """Moments by day within the rounds that were open then, more of them early in a round."""
        windows = [
            (max(start, opens), min(end, closes))
            for _name, opens, closes in self._rounds
            if max(start, opens) < min(end, closes)
        ]
        if not windows:
            return []
        first, last = windows[0]
        moments = []
        for _gift in range(wanted):
            share = self.chance.random() ** 1.4
            moment = first + (last - first) * share
            moments.append(moment.replace(second=self.chance.randrange(60), microsecond=0))
        return sorted(max(first, min(moment, last - dt.timedelta(minutes=1))) for moment in moments)

    def _gift(self, key: str, moment: dt.datetime, *, may_fail: bool) -> Action:
        chance, data = self.chance, self.data
        name = chance.choice(data.giver_names) if chance.random() < NAMED_SHARE else None
        message = chance.choice(data.messages) if name and chance.random() < MESSAGE_SHARE else None
        channel = chance.choices(CHANNELS, CHANNEL_SHARES)[0]
        plan_b = None
        if may_fail and chance.random() < PLAN_B_SHARE:
            others = [item["key"] for item in data.initiatives if item["state"] == State.PUBLISHED.value]
            plan_b = chance.choice(others)
        round_name = next(name for name, opens, closes in self._rounds if opens <= moment < closes)

        def give(session: Session) -> None:
            details = GiftDetails(
                channel=channel,
                giver_name=name,
                message=message,
                plan_b_initiative_id=self._ids.get(plan_b) if plan_b else None,
            )
            digest = next(self._unused[round_name])
            gift = give_voucher(session, digest, self._ids[key], details=details, now=moment)
            if gift is None:
                raise LookupError(f"{key} did not take a gift on {moment}")
            service.close_if_funded(session, gift.initiative_id, actor=GIVER, now=moment)

        return give
