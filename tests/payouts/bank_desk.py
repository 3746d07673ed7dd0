# SPDX-License-Identifier: EUPL-1.2
"""Payouts on their way to the bank, by the real verbs: requested, confirmed, approved, in a file, released."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.accounts.models import Account
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState, OrganiserRole
from abs_platform.payment_settings import BankAccount
from abs_platform.payouts import approving, batches, service
from abs_platform.payouts.models import Payout, PayoutBatch
from abs_platform.payouts.states import HolderKind
from abs_platform.users import Role, User
from tests.factories import SECRET_KEY, Factory

OUR_ACCOUNT = BankAccount(iban="NL02ABNA0123456789", holder="Gemeente Almelo")
THEIR_IBAN = "NL20INGB0001234567"


@dataclass
class Desk:
    """Everybody who has a hand in a payout, each another person."""

    factory: Factory
    users: dict[str, User] = field(default_factory=dict)

    @property
    def session(self) -> Session:
        return self.factory.session

    @property
    def now(self) -> dt.datetime:
        return self.factory.now

    def user(self, name: str) -> User:
        """A member of finance by name; "Sanne" is the wijkregisseur."""
        if name not in self.users:
            is_manager = name == "Sanne"
            role = Role.DISTRICT_MANAGER if is_manager else Role.FINANCE
            account = self.factory.account(name=name, roles=(role,), desks=("WK014119",) if is_manager else ())
            self.users[name] = self._as_user(account, role)
        return self.users[name]

    def _as_user(self, account: Account, *roles: Role) -> User:
        desk = frozenset({self.factory.area_id("WK014119")}) if Role.DISTRICT_MANAGER in roles else frozenset()
        return User(
            account_id=account.id,
            email=account.email or "",
            name=account.name,
            roles=frozenset(roles),
            own_area_ids=desk,
            desk_area_ids=desk,
            has_second_factor=True,
        )

    def initiator(self, initiative: Initiative) -> User:
        """Who began it, with an account."""
        organiser = self.session.scalars(
            select(Organiser).where(
                Organiser.initiative_id == initiative.id, Organiser.role == OrganiserRole.INITIATOR.value
            )
        ).one()
        found = self.session.scalar(select(Account).where(Account.email == organiser.email))
        account = found or self.factory.account(organiser.email, name=organiser.name)
        organiser.account_id = account.id
        self.session.flush()
        return self._as_user(account)

    def approved(
        self,
        initiative: Initiative | None = None,
        *,
        iban: str = THEIR_IBAN,
        holder: str = "Buurtvereniging Het Plein",
        cents: int = 5_250,
    ) -> Payout:
        """A payout that three people agreed to."""
        payout = self.confirmed(initiative, iban=iban, holder=holder, cents=cents)
        approving.approve(self.session, payout.id, version=1, user=self.user("Frits"), now=self.now)
        return payout

    def confirmed(
        self,
        initiative: Initiative | None = None,
        *,
        iban: str = THEIR_IBAN,
        holder: str = "Buurtvereniging Het Plein",
        cents: int = 5_250,
    ) -> Payout:
        """A payout that waits for finance."""
        initiative = initiative or self.factory.initiative(InitiativeState.FUNDED, target_cents=5_250)
        details = service.BankDetails(
            amount_cents=cents, iban=iban, holder_name=holder, holder_kind=HolderKind.ORGANISATION
        )
        payout_id = service.request(
            self.session,
            initiative.id,
            details,
            user=self.initiator(initiative),
            secret_key=SECRET_KEY,
            now=self.now,
        )
        approving.confirm(self.session, payout_id, version=1, user=self.user("Sanne"), now=self.now)
        return self.session.get_one(Payout, payout_id)

    def made(self, *payouts: Payout, by: str = "Mia", account: BankAccount | None = OUR_ACCOUNT) -> int:
        """A file of these payouts."""
        return batches.make_batch(
            self.session,
            [payout.id for payout in payouts],
            account=account,
            secret_key=SECRET_KEY,
            user=self.user(by),
            now=self.now,
        )

    def release(self, batch_id: int, by: str = "Roos", *, now: dt.datetime | None = None) -> None:
        """Another lets it go."""
        batches.release(
            self.session,
            batch_id,
            account=OUR_ACCOUNT,
            secret_key=SECRET_KEY,
            user=self.user(by),
            now=now or self.now,
        )

    def released(self, *payouts: Payout) -> int:
        """A file that may go to the bank."""
        batch_id = self.made(*payouts)
        self.release(batch_id)
        return batch_id

    def at_the_bank(self, number: int = 1) -> list[Payout]:
        """So many payouts in one file that was released."""
        payouts = [self.approved() for _number in range(number)]
        self.released(*payouts)
        return payouts

    def batch(self, batch_id: int) -> PayoutBatch:
        """The file as the database has it now."""
        return self.session.get_one(PayoutBatch, batch_id, populate_existing=True)

    def again(self, payout: Payout) -> Payout:
        """The payout as the database has it now."""
        return self.session.get_one(Payout, payout.id, populate_existing=True)
