# SPDX-License-Identifier: EUPL-1.2
"""The address for a receipt: shown to whose it is, gone with the account, forgotten when nothing is left to tell."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.accounts.leaving import delete_account
from abs_platform.accounts.own_data import Person, all_data, as_download
from abs_platform.payments.models import Payment
from abs_platform.payments.service import forget_addresses
from abs_platform.payments.states import PaymentState
from tests.factories import TEST_ACTOR, Factory
from tests.payments.gifts import begin, book, checkout, money_gift, payment_of

DAY = dt.timedelta(days=1)
EMAIL = "noor@voorbeeld.example"


def test_who_signs_in_sees_the_gifts_of_money_with_their_address(session: Session, factory: Factory) -> None:
    account = factory.account(EMAIL)
    gift = money_gift(1_250, receipt_email=EMAIL, organisation_name="Bakkerij Noor", is_organisation=True)
    begin(factory, factory.initiative().id, gift)
    begin(factory, factory.initiative().id, money_gift(receipt_email="ander@voorbeeld.example"))

    data = as_download(all_data(session, Person(account.id, EMAIL)))

    (found,) = data["Giften van geld waarvoor je een bewijs vroeg"]
    assert found["Bedrag"] == "€\u00a012,50"
    assert (found["Stand"], found["Naam van de organisatie"]) == ("wacht op betaling", "Bakkerij Noor")


def test_with_the_account_the_address_goes_and_the_payment_stays(session: Session, factory: Factory) -> None:
    account = factory.account(EMAIL)
    own = begin(factory, factory.initiative().id, money_gift(receipt_email=EMAIL))
    other = begin(factory, factory.initiative().id, money_gift(receipt_email="ander@voorbeeld.example"))

    assert delete_account(session, account.id, actor=TEST_ACTOR, now=factory.now)

    assert (payment_of(session, own).receipt_email, payment_of(session, own).state) == (None, "created")
    assert payment_of(session, other).receipt_email == "ander@voorbeeld.example"


FORGOTTEN = {"failed", "expired", "refunded", "charged_back"}


@pytest.mark.parametrize("state", PaymentState)
def test_a_month_after_there_was_nothing_left_to_tell_the_address_is_forgotten(
    session: Session, factory: Factory, state: PaymentState
) -> None:
    started = begin(factory, factory.initiative().id, money_gift(receipt_email=EMAIL))
    is_back = state in {"refunded", "charged_back"}
    session.execute(
        update(Payment).values(
            state=state.value,
            state_changed_at=factory.now,
            paid_at=factory.now,
            refund_reason="stopped" if state.startswith("refund") else None,
            dispute_id="du_1",
            returned_cents=Payment.amount_cents if is_back else 0,
            disputed_cents=Payment.amount_cents if state == "disputed" else 0,
        )
    )

    forgotten = [forget_addresses(session, factory.now + days * DAY) for days in (30, 31, 32)]

    assert forgotten == [0, 1 if state in FORGOTTEN else 0, 0]
    assert (payment_of(session, started).receipt_email is None) == (state in FORGOTTEN)


def test_three_months_after_the_realisation_the_address_is_forgotten_unless_money_still_goes_back(
    session: Session, factory: Factory
) -> None:
    initiative = factory.initiative()
    kept, late = (begin(factory, initiative.id, money_gift(receipt_email=EMAIL)) for _number in range(2))
    book(factory, checkout(kept))
    initiative.state = "funded"
    session.flush()
    book(factory, checkout(late))
    events.record(session, "initiative.realised", initiative.id, actor=TEST_ACTOR, now=factory.now)
    session.flush()

    assert forget_addresses(session, factory.now + 90 * DAY) == 0
    assert forget_addresses(session, factory.now + 91 * DAY) == 1

    assert payment_of(session, kept).receipt_email is None
    assert payment_of(session, late).receipt_email == EMAIL
