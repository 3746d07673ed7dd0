# SPDX-License-Identifier: EUPL-1.2
"""Where the money of a payment stands, and taking it away from there: what a refund and a lost dispute have in common.

1. While its gift counts and its initiative collects or has failed, it stands with the initiative.
2. Once the initiative has reached its target (funded, in progress, realised), or once a payout of it is at the bank,
   the initiative keeps the gift and the municipality bears what the giver gets back (``is_borne``, account fees).
3. A gift that does not count (late, returned, borne) and that its giver does not have back stands on owed.
4. A part that went back in the provider's own screen stands on suspense, or on fees once finance said so. It is
   cleared when the rest goes.

Locks: the payment, then its initiative (shared), as in booking.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.donations.money import return_money_gift
from abs_platform.donations.states import DonationState
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import FAILED_STATES, InitiativeState
from abs_platform.ledger.models import LedgerPosting, LedgerTransaction
from abs_platform.ledger.service import Leg, is_booked, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.lives import check_move
from abs_platform.payments.models import Payment
from abs_platform.payments.states import TRANSITIONS, PaymentState
from abs_platform.payouts.queries import at_the_bank

TIMES_A_THING = 20
# Nothing of it has come in yet.
UNPAID_STATES = frozenset({PaymentState.CREATED, PaymentState.FAILED, PaymentState.EXPIRED})
_KEEPS = frozenset({InitiativeState.FUNDED, InitiativeState.IN_PROGRESS, InitiativeState.REALISED})


@dataclass(frozen=True, slots=True)
class Standing:
    """A payment under lock, with what decides where its money stands."""

    payment: Payment
    reference: str
    gift_counts: bool
    initiative_id: int
    initiative_state: InitiativeState
    is_kept: bool

    @property
    def rest_cents(self) -> int:
        """What the giver does not have back yet."""
        return self.payment.amount_cents - self.payment.returned_cents

    @property
    def is_asked(self) -> bool:
        """Whether the provider was asked to refund it, or is about to be, and took nothing on yet."""
        return self.payment.state == PaymentState.REFUND_PENDING and self.payment.refund_id is None

    @property
    def holder(self) -> Leg:
        """The account that loses it when it goes (rules 1 to 3)."""
        if not self.gift_counts or self.payment.is_borne:
            return Leg(Account.OWED)
        return Leg(Account.FEES) if self.is_kept else Leg(Account.INITIATIVE, initiative_id=self.initiative_id)

    @property
    def must_go_back(self) -> bool:
        """Whether a paid gift goes back to its giver by itself."""
        if self.holder.account == Account.OWED:
            return True
        return self.initiative_state in FAILED_STATES and not self.is_kept


def lock_standing(session: Session, payment_id: int) -> Standing:
    """The payment as it is now, for this transaction alone; its initiative keeps its state until the end of it."""
    payment = session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    row = session.execute(
        select(Donation.reference, Donation.state, Donation.initiative_id, Initiative.state.label("initiative_state"))
        .join(Initiative, Initiative.id == Donation.initiative_id)
        .where(Donation.id == payment.donation_id)
        .with_for_update(read=True, of=Initiative)
    ).one()
    state = InitiativeState(row.initiative_state)
    return Standing(
        payment,
        row.reference,
        gift_counts=row.state == DonationState.CONFIRMED,
        initiative_id=row.initiative_id,
        initiative_state=state,
        is_kept=state in _KEEPS or at_the_bank(session, row.initiative_id),
    )


def find_payment(
    session: Session,
    *,
    intent_id: str | None,
    charge_id: str | None,
    reference: str | None = None,
    refund_id: str | None = None,
    dispute_id: str | None = None,
) -> int | None:
    """The payment that something at the provider is about, by whatever it tells.

    A reference is only what somebody wrote beside it: it never stands for a payment that we know by another name.
    """
    known = {
        Payment.refund_id: refund_id,
        Payment.dispute_id: dispute_id,
        Payment.intent_id: intent_id,
        Payment.charge_id: charge_id,
        Donation.reference: reference,
    }
    query = select(Payment.id).join(Donation, Donation.id == Payment.donation_id)
    for column, value in known.items():
        fits = column == value
        if column is Donation.reference and intent_id is not None:
            fits &= func.coalesce(Payment.intent_id, intent_id) == intent_id
        found = session.scalar(query.where(fits)) if value else None
        if found is not None:
            return found
    return None


def step(payment: Payment, target: PaymentState, now: dt.datetime) -> None:
    """Take one step of the life of a payment. Raises: InvalidTransition."""
    check_move(TRANSITIONS, PaymentState(payment.state), target, "betaling")
    payment.state, payment.state_changed_at = target.value, now


def take(
    session: Session,
    standing: Standing,
    kind: TransactionKind,
    target: Account,
    cents: int,
    *,
    now: dt.datetime,
    external_id: str | None,
) -> None:
    """Book that the rest of a payment leaves where it stands (``cents`` to the target), and clear its parts (rule 4).

    The gift is returned, or borne when its initiative keeps it.
    """
    payment, holder = standing.payment, standing.holder
    move(session, kind, cents, holder, Leg(target), now=now, donation_id=payment.donation_id, external_id=external_id)
    if holder.account == Account.OWED:
        return
    _clear_parts(session, payment.donation_id, holder, now)
    if holder.account == Account.FEES:
        payment.is_borne = True
    else:
        return_money_gift(session, payment.donation_id, now=now)


def _clear_parts(session: Session, donation_id: int, holder: Leg, now: dt.datetime) -> None:
    rows = session.execute(
        select(LedgerTransaction.external_id, LedgerPosting.account, func.sum(LedgerPosting.amount_cents))
        .join(LedgerPosting, LedgerPosting.transaction_id == LedgerTransaction.id)
        .where(
            LedgerTransaction.donation_id == donation_id,
            LedgerTransaction.kind.in_((TransactionKind.UNEXPLAINED.value, TransactionKind.EXPLAINED.value)),
            LedgerPosting.account.in_((Account.SUSPENSE.value, Account.FEES.value)),
        )
        .group_by(LedgerTransaction.external_id, LedgerPosting.account)
        .having(func.sum(LedgerPosting.amount_cents) != 0)
        .order_by(LedgerTransaction.external_id)
    ).all()
    for external_id, account, cents in rows:
        # What finance let the municipality bear was explained before: it is booked back under a name of its own.
        name = external_id if account == Account.SUSPENSE else f"{external_id}:returned"
        if holder.account != account:
            move(
                session,
                TransactionKind.EXPLAINED,
                -int(cents),
                holder,
                Leg(Account(account)),
                now=now,
                donation_id=donation_id,
                external_id=name,
            )


def booked_cents(session: Session, thing_id: str) -> int | None:
    """What the provider lost (+) by our books for one refund, claim or transfer; None when nothing is booked of it."""
    found, cents = session.execute(
        select(func.count(), func.coalesce(func.sum(LedgerPosting.amount_cents), 0))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerPosting.transaction_id)
        .where(
            LedgerTransaction.external_id.in_(names_of(thing_id)),
            LedgerTransaction.kind != TransactionKind.PROVIDER_FEE.value,
            LedgerPosting.account == Account.PROVIDER.value,
        )
    ).one()
    return int(cents) if found else None


def names_of(thing_id: str) -> list[str]:
    """The external ids under which one thing at the provider is booked: its own, and with a number each time after."""
    return [thing_id, *(f"{thing_id}#{number}" for number in range(2, TIMES_A_THING + 1))]


def free_name(session: Session, kind: TransactionKind, thing_id: str) -> str:
    """The external id under which one more transaction of a kind about a thing can be booked."""
    return next(name for name in names_of(thing_id) if not is_booked(session, kind, name))
