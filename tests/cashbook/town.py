# SPDX-License-Identifier: EUPL-1.2
"""Money in the books of a test: gifts, refunds, payouts and what else there is, with the rows that belong to each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import count

from sqlalchemy.orm import Session

from abs_platform.clock import local_date
from abs_platform.donations.models import Donation
from abs_platform.donations.service import new_reference
from abs_platform.initiatives.models import Initiative
from abs_platform.ledger.service import Leg, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.payments.models import Payment, ProviderEntry
from abs_platform.payouts.models import Payout, UnspentReturn
from tests.factories import Factory

PROVIDER, OWED, FEES, BANK = Leg(Account.PROVIDER), Leg(Account.OWED), Leg(Account.FEES), Leg(Account.BANK)
_numbers = count(1)


@dataclass
class Money:
    """Books what happens to money, as the verbs of payments and payouts do."""

    factory: Factory
    staff: list[int] = field(default_factory=list)

    @property
    def session(self) -> Session:
        """The session of the factory."""
        return self.factory.session

    def give(
        self,
        initiative: Initiative,
        cents: int,
        *,
        name: str | None = None,
        is_organisation: bool = False,
        at: dt.datetime | None = None,
        is_late: bool = False,
    ) -> Donation:
        """A gift of money that was paid; one that came too late is owed to its giver."""
        moment = at or self.factory.now
        donation = Donation(
            reference=new_reference(),
            initiative_id=initiative.id,
            kind="money",
            amount_cents=cents,
            state="failed" if is_late else "confirmed",
            channel="online",
            given_at=moment,
            giver_name=name,
            is_organisation=is_organisation,
        )
        self.session.add(donation)
        self.session.flush()
        self.session.add(
            Payment(
                donation_id=donation.id,
                state="paid",
                amount_cents=cents,
                created_at=moment,
                reserved_until=moment,
                state_changed_at=moment,
                paid_at=moment,
                refund_reason="late" if is_late else None,
            )
        )
        kind = TransactionKind.PAYMENT_LATE if is_late else TransactionKind.PAYMENT_RECEIVED
        target = OWED if is_late else Leg(Account.INITIATIVE, initiative_id=initiative.id)
        move(self.session, kind, cents, PROVIDER, target, now=moment, donation_id=donation.id)
        self.session.flush()
        return donation

    def refund(self, donation: Donation, *, at: dt.datetime | None = None, from_owed: bool = False) -> None:
        """The giver has it back."""
        moment = at or self.factory.now
        payment = self.session.query(Payment).filter_by(donation_id=donation.id).one()
        payment.state, payment.refund_reason = "refunded", payment.refund_reason or "stopped"
        payment.refund_id, payment.returned_cents = f"re_{next(_numbers)}", payment.amount_cents
        if not from_owed:
            donation.state, donation.returned_at = "returned", moment
        source = OWED if from_owed else Leg(Account.INITIATIVE, initiative_id=donation.initiative_id)
        kind = TransactionKind.REFUND_MADE
        cents, target = donation.amount_cents, PROVIDER
        move(
            self.session,
            kind,
            cents,
            source,
            target,
            now=moment,
            donation_id=donation.id,
            external_id=payment.refund_id,
        )
        self.session.flush()

    def fee(self, cents: int, *, at: dt.datetime | None = None) -> None:
        """The provider keeps something, which the municipality bears."""
        moment = at or self.factory.now
        number = f"txn_{next(_numbers)}"
        figures = {"amount_cents": 0, "fee_cents": cents, "net_cents": -cents}
        self.session.add(ProviderEntry(id=number, type="stripe_fee", created_at=moment, seen_at=moment, **figures))
        move(self.session, TransactionKind.PROVIDER_FEE, cents, FEES, PROVIDER, now=moment, external_id=number)

    def to_the_bank(self, cents: int, *, at: dt.datetime | None = None) -> None:
        """The provider sends what it holds to the bank."""
        moment = at or self.factory.now
        number = f"po_{next(_numbers)}"
        move(self.session, TransactionKind.PROVIDER_PAYOUT, cents, BANK, PROVIDER, now=moment, external_id=number)

    def pay_out(self, initiative: Initiative, cents: int, *, at: dt.datetime | None = None) -> None:
        """An initiative gets its money."""
        moment = at or self.factory.now
        self.staff = self.staff or [self.factory.account().id for _ in range(3)]
        requester, confirmer, approver = self.staff
        payout = Payout(
            initiative_id=initiative.id,
            amount_cents=cents,
            state="paid",
            state_changed_at=moment,
            iban_sealed=b"sealed",
            iban_digest=b"digest",
            iban_masked="NL91 **** 00",
            holder_name="Stichting Groen",
            holder_kind="organisation",
            requested_at=moment,
            requested_by_id=requester,
            confirmed_at=moment,
            confirmed_by_id=confirmer,
            approved_at=moment,
            approved_by_id=approver,
            end_to_end_id=f"ABS{next(_numbers)}",
            paid_on=local_date(moment),
        )
        self.session.add(payout)
        self.session.flush()
        source = Leg(Account.INITIATIVE, initiative_id=initiative.id)
        move(self.session, TransactionKind.PAYOUT_PAID, cents, source, BANK, now=moment, payout_id=payout.id)

    def unspent(self, initiative: Initiative, cents: int, *, at: dt.datetime | None = None) -> None:
        """An initiative pays back what it did not spend."""
        moment = at or self.factory.now
        self.session.add(
            UnspentReturn(
                initiative_id=initiative.id,
                amount_cents=cents,
                received_on=local_date(moment),
                booked_at=moment,
                booked_by_id=self.staff[0],
                form_key=str(next(_numbers)),
            )
        )
        target = Leg(Account.SURPLUS, initiative_id=initiative.id)
        move(self.session, TransactionKind.UNSPENT_RETURNED, cents, BANK, target, now=moment)
        self.session.flush()
