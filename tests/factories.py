# SPDX-License-Identifier: EUPL-1.2
"""Makes what tests need through the real verbs: households, rounds, vouchers with their codes, initiatives."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import count

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts.models import Account, DeskAssignment, StaffRole
from abs_platform.accounts.service import start_session
from abs_platform.actors import Actor
from abs_platform.areas.models import Area
from abs_platform.donations.models import Donation
from abs_platform.donations.service import Gift, GiftDetails, give_voucher
from abs_platform.households.models import Household
from abs_platform.initiatives import service, submitting
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.states import Theme
from abs_platform.municipality import Rules
from abs_platform.rounds.models import Round
from abs_platform.rounds.service import plan_round, release
from abs_platform.users import Role
from abs_platform.vouchers.codes import CodeKeys, read_code
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.models import Voucher

TEST_ACTOR = Actor("staff", "test")
SECRET_KEY = "a secret key for tests, as long as a real one is"
_numbers = count(1)

# From draft, the verbs that lead to each state.
_ROAD = {
    State.DRAFT: [],
    State.SUBMITTED: ["submit"],
    State.CHANGES_REQUESTED: ["submit", "request_changes"],
    State.REJECTED: ["submit", "reject"],
    State.PUBLISHED: ["submit", "publish"],
    State.STOPPED: ["submit", "publish", "stop"],
    State.WITHDRAWN: ["submit", "publish", "withdraw"],
    State.EXPIRED: ["submit", "publish", "expire_if_due"],
    State.FUNDED: ["submit", "publish", "fund"],
    State.IN_PROGRESS: ["submit", "publish", "fund", "start"],
    State.REALISED: ["submit", "publish", "fund", "start", "realise"],
}
_NEED_REASON = {"request_changes", "reject", "stop", "withdraw"}


@dataclass
class Factory:
    """Everything happens at ``now`` unless told otherwise."""

    session: Session
    rules: Rules
    keys: CodeKeys
    now: dt.datetime = field(default_factory=clock.now)

    def account(
        self,
        email: str | None = None,
        *,
        name: str = "",
        roles: tuple[Role, ...] = (),
        desks: tuple[str, ...] = (),
    ) -> Account:
        """An account; staff with roles, and the desks (by code of area) of a wijkregisseur."""
        account = Account(email=email or f"mens{next(_numbers)}@voorbeeld.example", name=name, created_at=self.now)
        self.session.add(account)
        self.session.flush()
        self.session.add_all(StaffRole(account_id=account.id, role=role.value, granted_at=self.now) for role in roles)
        self.session.add_all(DeskAssignment(account_id=account.id, area_id=self.area_id(code)) for code in desks)
        self.session.flush()
        return account

    def session_of(self, account: Account, *, has_second_factor: bool = True) -> str:
        """The token of a new session, for Browser.sign_in. Commit the factory's session before using it."""
        return start_session(
            self.session,
            account,
            method="email",
            user_agent="test",
            secret_key=SECRET_KEY,
            has_second_factor=has_second_factor,
            now=self.now,
        )

    def area_id(self, code: str) -> int:
        """The id of an area of Almelo by its CBS code."""
        return self.session.scalars(select(Area.id).where(Area.code == code)).one()

    def households(self, number: int = 1, area: str = "BU01411900") -> list[Household]:
        """Residential addresses in one neighbourhood."""
        area_id = self.area_id(area)
        made = [
            Household(
                bag_object_id=f"0141010{serial:09d}",
                bag_address_id=f"0141200{serial:09d}",
                object_type="VBO",
                street="Groeneveldstraat",
                house_number=serial % 90_000 + 1,
                postcode="7609AB",
                city="Almelo",
                neighbourhood_id=area_id,
            )
            for serial in (next(_numbers) for _ in range(number))
        ]
        self.session.add_all(made)
        self.session.flush()
        return made

    def round(
        self,
        *,
        opens: dt.timedelta = dt.timedelta(days=-10),
        closes: dt.timedelta = dt.timedelta(days=20),
        districts: tuple[str, ...] = (),
        name: str | None = None,
        is_released: bool = True,
    ) -> Round:
        """A round that may be issued, opens and closes so long from now; its vouchers are due five days before."""
        opens_at, closes_at = self.now + opens, self.now + closes
        planned_at = opens_at - dt.timedelta(days=30)
        round_ = plan_round(
            self.session,
            name=name or f"Ronde {next(_numbers)}",
            issue_on=clock.local_date(opens_at - dt.timedelta(days=5)),
            opens_at=opens_at,
            closes_at=closes_at,
            amount_cents=self.rules.voucher_amount_cents,
            districts=districts,
            rules=self.rules,
            actor=TEST_ACTOR,
            now=planned_at,
        )
        if is_released:
            release(self.session, round_, letter_text_id=None, actor=TEST_ACTOR, now=planned_at)
        return round_

    def issue(self, round_: Round, at: dt.datetime | None = None) -> int:
        """Issue a round's vouchers on its opening day, or at a moment; returns how many."""
        moment = at or round_.opens_at
        report = issue_vouchers(self.session, round_.id, keys=self.keys, actor=TEST_ACTOR, now=moment)
        return report.voucher_count

    def codes(self, number: int = 1, **round_options: dt.timedelta) -> list[str]:
        """Codes of new vouchers of new households in a new round, as they are printed."""
        households = self.households(number)
        round_ = self.round(**round_options)  # type: ignore[arg-type]
        self.issue(round_)
        ids = [household.id for household in households]
        nonces = self.session.scalars(
            select(Voucher.nonce)
            .where(Voucher.round_id == round_.id, Voucher.household_id.in_(ids))
            .order_by(Voucher.id)
        )
        return [self.keys.code(nonce) for nonce in nonces]

    def digest(self, code: str) -> bytes:
        """The stored digest of a code."""
        return self.keys.digest(read_code(code))

    def voucher(self, code: str) -> Voucher:
        """The voucher of a code, as the database has it now."""
        query = select(Voucher).where(Voucher.code_digest == self.digest(code))
        return self.session.scalars(query.execution_options(populate_existing=True)).one()

    def initiative(
        self,
        state: State = State.PUBLISHED,
        *,
        target_cents: int = 50_000,
        area: str = "BU01411900",
        days_left: int = 30,
        title: str | None = None,
        theme: Theme = Theme.GREEN,
    ) -> Initiative:
        """An initiative in some state, brought there by the verbs."""
        serial = next(_numbers)
        begun = self.now - dt.timedelta(days=40)
        deadline = clock.local_date(self.now) + dt.timedelta(days=days_left)
        if state == State.EXPIRED:
            deadline = clock.local_date(self.now) - dt.timedelta(days=1)
        draft = submitting.Draft(
            title=title or f"Bomen voor het plein {serial}",
            summary="We planten samen tien bomen.",
            story="Het plein is kaal.\n\nSamen maken we het groen.",
            theme=theme,
            area_id=self.area_id(area),
            place_description="Op het plein",
            target_cents=target_cents,
            deadline_on=deadline,
            budget=[("Bomen", target_cents - 1_000), ("Koffie", 1_000)],
        )
        people = [
            submitting.Person(
                name=name, email=f"{name}{serial}@voorbeeld.example", postcode="7609 AB", house_number=number
            )
            for name, number in (("Anna", "1"), ("Bram", "2"), ("Cem", "3"))
        ]
        initiative = submitting.create_draft(self.session, draft, people[0], actor=TEST_ACTOR, now=begun)
        for person in people[1:]:
            organiser = submitting.add_co_organiser(self.session, initiative.id, person, actor=TEST_ACTOR, now=begun)
            submitting.confirm_co_organiser(self.session, organiser.id, actor=TEST_ACTOR, now=begun)
        for verb in _ROAD[state]:
            self._take_step(initiative, verb, begun)
        self.session.flush()
        assert initiative.state == state
        return initiative

    def _take_step(self, initiative: Initiative, verb: str, begun: dt.datetime) -> None:
        if verb == "submit":
            submitting.submit(self.session, initiative.id, rules=self.rules, actor=TEST_ACTOR, now=begun)
        elif verb == "publish":
            service.publish(self.session, initiative.id, actor=TEST_ACTOR, now=begun)
        elif verb == "fund":
            self.fund(initiative)
        elif verb in _NEED_REASON:
            getattr(service, verb)(self.session, initiative.id, reason="Zomaar.", actor=TEST_ACTOR, now=self.now)
        else:
            getattr(service, verb)(self.session, initiative.id, actor=TEST_ACTOR, now=self.now)

    def fund(self, initiative: Initiative) -> None:
        """Give vouchers until the target is reached, and close."""
        missing = initiative.target_cents - (
            self.session.scalar(
                select(func.coalesce(func.sum(Donation.amount_cents), 0)).where(
                    Donation.initiative_id == initiative.id, Donation.state == "confirmed"
                )
            )
            or 0
        )
        for code in self.fresh_codes(-(-int(missing) // self.rules.voucher_amount_cents)):
            assert self.give(code, initiative) is not None
        assert service.close_if_funded(self.session, initiative.id, actor=TEST_ACTOR, now=self.now)

    def fresh_codes(self, number: int) -> list[str]:
        """Codes in the round that is open now, or in a new one: two rounds cannot be open at once."""
        open_round = self.session.scalar(
            select(Round).where(Round.opens_at <= self.now, Round.closes_at > self.now).limit(1)
        )
        if open_round is None:
            return self.codes(number)
        ids = [household.id for household in self.households(number)]
        self.issue(open_round, self.now)
        nonces = self.session.scalars(select(Voucher.nonce).where(Voucher.household_id.in_(ids)).order_by(Voucher.id))
        return [self.keys.code(nonce) for nonce in nonces]

    def give(self, code: str, initiative: Initiative, details: GiftDetails | None = None) -> Gift | None:
        """Give a voucher with the verb of the service."""
        return give_voucher(
            self.session, self.digest(code), initiative.id, details=details or GiftDetails(), now=self.now
        )
