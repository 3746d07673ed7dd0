# SPDX-License-Identifier: EUPL-1.2
"""Books with money of every kind in them, row by row as the verbs leave them: what each check is tried on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from abs_platform.donations.models import Donation
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.service import Leg, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.payments.models import Payment, ProviderEntry
from abs_platform.payouts.models import Payout, PayoutBatch, UnspentReturn
from abs_platform.users import Role
from tests.factories import Factory

Kind = TransactionKind
PROVIDER, BANK, FEES, OWED = Leg(Account.PROVIDER), Leg(Account.BANK), Leg(Account.FEES), Leg(Account.OWED)
DISPUTES, SUSPENSE = Leg(Account.DISPUTES), Leg(Account.SUSPENSE)


@dataclass
class MoneyBooks:
    """Payments, payouts and what the provider and the bank did, each with its bookings."""

    factory: Factory
    payments: dict[str, Payment] = field(default_factory=dict)
    payouts: dict[str, Payout] = field(default_factory=dict)

    def pay(self, name: str, initiative: Initiative, cents: int, state: str, gift: str, **more: Any) -> Payment:
        """A gift of money and its payment in some state, without bookings."""
        session, now = self.factory.session, self.factory.now
        donation = Donation(
            reference=f"GELD-{name.upper()}",
            initiative_id=initiative.id,
            kind="money",
            amount_cents=cents,
            state=gift,
            channel="online",
            given_at=now,
            returned_at=now if gift == "returned" else None,
            giver_name=more.pop("giver_name", None),
            giver_email=more.pop("giver_email", None),
            message=more.pop("message", None),
        )
        session.add(donation)
        session.flush()
        came_in = state not in {"created", "failed", "expired"}
        payment = Payment(
            donation_id=donation.id,
            state=state,
            amount_cents=cents,
            created_at=now,
            reserved_until=now + dt.timedelta(minutes=31),
            state_changed_at=now,
            paid_at=now if came_in else None,
            checkout_id=f"cs_{name}",
            intent_id=f"pi_{name}" if came_in else None,
            returned_cents=cents if state in {"refunded", "charged_back"} else 0,
            disputed_cents=cents if state == "disputed" else 0,
            **more,
        )
        session.add(payment)
        session.flush()
        self.payments[name] = payment
        return payment

    def book(
        self, kind: Kind, cents: int, source: Leg, target: Leg, *, of: Payment | None = None, external: str = ""
    ) -> None:
        """One booking."""
        donation_id = of.donation_id if of else None
        now, external_id = self.factory.now, external or None
        move(
            self.factory.session, kind, cents, source, target, now=now, donation_id=donation_id, external_id=external_id
        )

    def entry(self, name: str, amount: int, fee: int = 0, kind: str = "charge") -> None:
        """A line of the provider's own books, with its fee booked."""
        now = self.factory.now
        entry = ProviderEntry(
            id=f"txn_{name}",
            type=kind,
            amount_cents=amount,
            fee_cents=fee,
            net_cents=amount - fee,
            source_id=f"src_{name}",
            created_at=now,
            seen_at=now,
        )
        self.factory.session.add(entry)
        if fee:
            self.book(Kind.PROVIDER_FEE, fee, FEES, PROVIDER, external=entry.id)

    def receive(self, name: str, initiative: Initiative, cents: int, state: str = "paid", **more: Any) -> Payment:
        """A payment that came in on time."""
        gift = more.pop("gift", "confirmed")
        payment = self.pay(name, initiative, cents, state, gift, **more)
        kind, target = Kind.PAYMENT_RECEIVED, Leg(Account.INITIATIVE, initiative_id=initiative.id)
        if gift == "failed":
            kind, target = Kind.PAYMENT_LATE, OWED
        self.book(kind, cents, PROVIDER, target, of=payment)
        self.entry(name, cents, 29)
        return payment

    def payout(self, name: str, initiative: Initiative, cents: int, state: str, batch: PayoutBatch | None) -> Payout:
        """A payout by people of its own, with its bookings."""
        session, factory, now = self.factory.session, self.factory, self.factory.now
        people = [factory.account(name=who) for who in ("Anna", "Sanne", "Frits")]
        paid_on = now.date() if state in {"paid", "bounced"} else None
        payout = Payout(
            initiative_id=initiative.id,
            amount_cents=cents,
            state=state,
            state_changed_at=now,
            iban_sealed=b"sealed",
            iban_digest=b"digest",
            iban_masked="NL•• •••• 0300",
            holder_name="Stichting Plein",
            holder_kind="organisation",
            requested_at=now,
            requested_by_id=people[0].id,
            confirmed_at=now,
            confirmed_by_id=people[1].id,
            approved_at=now,
            approved_by_id=people[2].id,
            batch_id=batch.id if batch else None,
            end_to_end_id=f"ABS-{name}",
            paid_on=paid_on,
        )
        session.add(payout)
        session.flush()
        self.payouts[name] = payout
        with_initiative = Leg(Account.INITIATIVE, initiative_id=initiative.id)
        if paid_on:
            move(session, Kind.PAYOUT_PAID, cents, with_initiative, BANK, now=now, payout_id=payout.id)
        if state == "bounced":
            move(session, Kind.PAYOUT_BOUNCED, cents, BANK, with_initiative, now=now, payout_id=payout.id)
        return payout

    def batch(self, count: int, cents: int, *, is_released: bool = True, days_ago: int = 0) -> PayoutBatch:
        """A file for the bank."""
        session, now = self.factory.session, self.factory.now - dt.timedelta(days=days_ago)
        maker, releaser = (self.factory.account(name=who, roles=(Role.FINANCE,)) for who in ("Fien", "Frits"))
        made = PayoutBatch(
            message_id=f"ABS-{maker.id}",
            state="released" if is_released else "made",
            payout_count=count,
            sum_cents=cents,
            execution_on=now.date(),
            sealed_file=b"sealed",
            sha256="0" * 64,
            made_at=now,
            made_by_id=maker.id,
            released_at=now if is_released else None,
            released_by_id=releaser.id if is_released else None,
        )
        session.add(made)
        session.flush()
        return made


def money_books(factory: Factory) -> MoneyBooks:
    """Each way that money takes, once."""
    books, session, now = MoneyBooks(factory), factory.session, factory.now
    collecting, gone = factory.initiative(), factory.initiative()
    _payments(books, collecting, gone)
    funded = [factory.initiative(InitiativeState.FUNDED, target_cents=5_000) for _ in range(3)]
    batch = books.batch(3, 6_000)
    for name, initiative, cents, state in (
        ("paid", funded[0], 3_000, "paid"),
        ("exported", funded[1], 2_000, "exported"),
        ("bounced", funded[2], 1_000, "bounced"),
    ):
        books.payout(name, initiative, cents, state, batch)
    borne = books.receive(
        "borne", funded[2], 1_700, "charged_back", dispute_id="dp_borne", is_borne=True, giver_name="Mo"
    )
    books.book(Kind.DISPUTE_OPENED, 1_700, DISPUTES, PROVIDER, of=borne, external="dp_borne")
    books.book(Kind.DISPUTE_LOST, 1_700, FEES, DISPUTES, of=borne, external="dp_borne")
    books.entry("borne_back", -1_700, kind="adjustment")
    returner = factory.account(name="Frits", roles=(Role.FINANCE,))
    session.add(
        UnspentReturn(
            initiative_id=funded[0].id,
            amount_cents=400,
            received_on=now.date(),
            booked_at=now,
            booked_by_id=returner.id,
            form_key="eens",
        )
    )
    surplus = Leg(Account.SURPLUS, initiative_id=funded[0].id)
    books.book(Kind.UNSPENT_RETURNED, 400, BANK, surplus, external="return-1")
    books.entry("to_bank", -900, kind="payout")
    books.book(Kind.PROVIDER_PAYOUT, 900, Leg(Account.BANK), PROVIDER, external="po_1")
    books.entry("strange", -55, kind="adjustment")
    books.book(Kind.UNEXPLAINED, 55, SUSPENSE, PROVIDER, external="txn_strange")
    open_task(session, TaskKind.DIFFERENCE, "entry:txn_strange", now=now, amount_cents=-55, external_id="txn_strange")
    session.flush()
    return books


def _payments(books: MoneyBooks, collecting: Initiative, gone: Initiative) -> None:
    with_gone = Leg(Account.INITIATIVE, initiative_id=gone.id)
    books.pay("begun", collecting, 1_000, "created", "pending")
    books.pay("failed", collecting, 1_050, "failed", "failed")
    books.receive("paid", collecting, 1_100, giver_name="Fatima", giver_email="fatima@voorbeeld.example")
    books.receive("late", gone, 1_200, gift="failed", refund_reason="late")
    refunded = books.receive("refunded", gone, 1_300, "refunded", gift="returned", refund_reason="stopped")
    refunded.refund_id = "re_refunded"
    books.book(Kind.REFUND_MADE, 1_300, with_gone, PROVIDER, of=refunded, external="re_refunded")
    books.entry("refunded_back", -1_300, kind="refund")
    failed = books.receive("owed", gone, 1_400, "refund_failed", gift="returned", refund_reason="stopped")
    books.book(Kind.REFUND_OWED, 1_400, with_gone, OWED, of=failed)
    by_hand = books.receive("by_hand", gone, 1_450, "refunded", gift="returned", refund_reason="stopped")
    books.book(Kind.REFUND_OWED, 1_450, with_gone, OWED, of=by_hand)
    books.book(Kind.REFUND_BY_HAND, 1_450, OWED, BANK, of=by_hand)
    disputed = books.receive("disputed", collecting, 1_500, "disputed", dispute_id="dp_open")
    books.book(Kind.DISPUTE_OPENED, 1_500, DISPUTES, PROVIDER, of=disputed, external="dp_open")
    books.entry("disputed_back", -1_500, kind="adjustment")
