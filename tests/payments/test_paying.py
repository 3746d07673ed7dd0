# SPDX-License-Identifier: EUPL-1.2
"""The edge of paying: what was begun is kept, the provider is asked once, and a crash at any step loses nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask, get_flashed_messages
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.demo.stripe.faults import CallFault
from abs_platform.donations.models import Donation
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotFound, ProviderUnavailable, VoucherNotUsable
from abs_platform.initiatives.models import Initiative
from abs_platform.ledger.queries import check
from abs_platform.payments import paying
from abs_platform.payments.models import Payment
from abs_platform.payments.port import Checkout, CheckoutRequest, ProviderRefused
from abs_platform.payments.queries import room, view
from abs_platform.payments.service import MoneyGift
from abs_platform.vouchers.codes import format_payload, read_code
from abs_platform.vouchers.models import CodeAttempt
from jobs import release_checkouts
from tests.factories import Factory
from tests.payments.gifts import deliver_all, money_gift, states
from tests.stand_in import StandIn

MINUTE = dt.timedelta(minutes=1)


class Killed(BaseException):
    """The process is gone at this point: nothing after it happens."""


@dataclass
class Giver:
    """Somebody who sends the form."""

    app: Flask
    factory: Factory
    stand_in: StandIn
    said: list[str]

    def begin(
        self, initiative_id: int, gift: MoneyGift | int = 1_000, code: str = "", address: str = "192.0.2.1"
    ) -> str:
        """Send the form; where it leads to."""
        gift = money_gift(gift) if isinstance(gift, int) else gift
        self.factory.session.commit()
        payload = read_code(code) if code else None
        with self.app.test_request_context("/", method="POST", environ_base={"REMOTE_ADDR": address}):
            url = paying.begin(initiative_id, gift, voucher=payload)
            self.said += get_flashed_messages()
        self.factory.session.expire_all()
        return url

    def refused(self, initiative_id: int, gift: MoneyGift | int = 1_000, code: str = "") -> AbsError:
        """Send the form, which is refused."""
        with pytest.raises(AbsError) as refusal:
            self.begin(initiative_id, gift, code)
        self.factory.session.expire_all()
        return refusal.value

    def checkouts(self) -> list[str]:
        """All checkouts that the provider has."""
        return [found.id for found in self.stand_in.provider.checkouts_since(self.factory.now - 60 * MINUTE)]

    def hear(self) -> None:
        """What the provider tells reaches us."""
        assert set(deliver_all(self.app, self.stand_in.deliveries())) <= {200}
        self.factory.session.expire_all()


@pytest.fixture
def giver(paying_app: Flask, factory: Factory, stand_in: StandIn) -> Giver:
    return Giver(paying_app, factory, stand_in, [])


@pytest.fixture
def initiative(factory: Factory) -> Initiative:
    return factory.initiative(target_cents=5_000)


def gifts(session: Session) -> list[tuple[str, str, int]]:
    rows = session.execute(select(Donation.kind, Donation.state, Donation.amount_cents).order_by(Donation.id))
    return [tuple(row) for row in rows]  # type: ignore[misc]


def test_who_begins_goes_to_the_page_of_the_provider_and_comes_back_to_ours(
    session: Session, giver: Giver, initiative: Initiative
) -> None:
    url = giver.begin(initiative.id, money_gift(1_250, receipt_email="noor@voorbeeld.example"))

    payment = session.scalars(select(Payment)).one()
    reference = session.scalars(select(Donation.reference)).one()
    asked = giver.stand_in.account.get("session", payment.checkout_id or "")
    assert url == asked["url"]
    assert (asked["amount_total"], asked["metadata"]["reference"]) == (1_250, reference)
    assert asked["success_url"] == f"http://localhost/giften/{reference}"
    assert asked["cancel_url"].endswith(f"/initiatieven/{initiative.id}/geld?terug={reference}")
    assert asked["customer_email"] == "noor@voorbeeld.example"
    assert asked["expires_at"] == int(payment.reserved_until.timestamp())


def test_the_same_form_leads_to_the_same_checkout_and_once_paid_to_the_receipt(
    session: Session, giver: Giver, initiative: Initiative
) -> None:
    gift = money_gift()
    first = giver.begin(initiative.id, gift)

    assert giver.begin(initiative.id, gift) == first
    giver.stand_in.pay(giver.checkouts()[0])
    giver.hear()

    reference = session.scalars(select(Donation.reference)).one()
    assert giver.begin(initiative.id, gift) == f"/giften/{reference}"
    assert len(giver.checkouts()) == 1
    assert gifts(session) == [("money", "confirmed", 1_000)]


@pytest.mark.parametrize("is_done", [False, True], ids=["undone", "done all the same"])
@pytest.mark.parametrize("kind", ["500", "429", "timeout"])
def test_when_the_provider_is_away_nothing_was_paid_and_the_same_form_works_later(
    session: Session, giver: Giver, kind: CallFault, *, is_done: bool
) -> None:
    gift, initiative_id = money_gift(), giver.factory.initiative().id
    giver.stand_in.faults.fail_calls(kind, is_done=is_done)

    error = giver.refused(initiative_id, gift)

    assert isinstance(error, ProviderUnavailable)
    assert "Er is niets betaald" in error.message
    assert (states(session), gifts(session)) == (["created"], [("money", "pending", 1_000)])
    giver.stand_in.faults.clear()
    url = giver.begin(initiative_id, gift)
    assert url in {giver.stand_in.account.get("session", made)["url"] for made in giver.checkouts()}
    assert gifts(session) == [("money", "pending", 1_000)]


def _kill(*_arguments: Any, **_options: Any) -> None:
    raise Killed


def _kill_after(work: Callable[..., Any]) -> Callable[..., Any]:
    def killed(*arguments: Any, **options: Any) -> None:
        work(*arguments, **options)
        raise Killed

    return killed


def killed(giver: Giver, step: str, initiative_id: int, gift: MoneyGift | int = 1_000, code: str = "") -> None:
    """Begin, and be killed at this step."""
    with pytest.MonkeyPatch.context() as broken:
        kill_at(step, broken, giver)
        with pytest.raises(Killed):
            giver.begin(initiative_id, gift, code)


STEPS = ["while it is written", "before the provider is asked", "after the provider answered", "while it is remembered"]


def kill_at(step: str, monkeypatch: pytest.MonkeyPatch, giver: Giver) -> None:
    """Be killed at this step."""
    provider = giver.stand_in.provider
    if step == STEPS[0]:
        monkeypatch.setattr(paying, "start_gift", _kill_after(paying.start_gift))
    elif step == STEPS[1]:
        monkeypatch.setattr(provider, "create_checkout", _kill)
    elif step == STEPS[2]:
        monkeypatch.setattr(provider, "create_checkout", _kill_after(provider.create_checkout))
    else:
        monkeypatch.setattr(paying, "attach_checkout", _kill_after(paying.attach_checkout))


@pytest.mark.parametrize("with_voucher", [False, True], ids=["money", "with a voucher"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_same_form_still_makes_one_gift(  # the voucher too is given once
    session: Session, giver: Giver, step: str, *, with_voucher: bool
) -> None:
    gift, code = money_gift(), giver.factory.codes()[0] if with_voucher else ""
    initiative_id = giver.factory.initiative().id
    killed(giver, step, initiative_id, gift, code)

    giver.begin(initiative_id, gift, code)
    (checkout_id,) = giver.checkouts()
    giver.stand_in.pay(checkout_id)
    giver.hear()

    given = [("voucher", "confirmed", 750)] if with_voucher else []
    assert sorted(gifts(session)) == [("money", "confirmed", 1_000), *given]
    assert check(session) == []


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_what_nobody_comes_back_for_is_ended_and_its_money_would_go_back(
    session: Session, giver: Giver, step: str
) -> None:
    initiative_id = giver.factory.initiative().id
    killed(giver, step, initiative_id)
    later = giver.factory.now + 32 * MINUTE

    with giver.app.app_context():
        assert release_checkouts.run(later).errors == []
    for checkout_id in giver.checkouts():  # it is known to nobody, and paid all the same
        giver.stand_in.pay(checkout_id)
    giver.hear()

    is_known = step != STEPS[0]
    was_made = step in {STEPS[2], STEPS[3]}
    assert states(session) == (["paid" if was_made else "expired"] if is_known else [])
    assert gifts(session) == ([("money", "failed", 1_000)] if is_known else [])
    assert room(session, initiative_id, giver.factory.rules, later).reserved_cents == 0
    assert check(session) == []


def test_a_form_that_comes_back_after_a_while_gets_a_fresh_half_hour(
    session: Session, giver: Giver, initiative: Initiative
) -> None:
    gift = money_gift()
    killed(giver, STEPS[1], initiative.id, gift)
    payment = session.scalars(select(Payment)).one()
    payment.reserved_until -= 10 * MINUTE
    before = payment.reserved_until

    url = giver.begin(initiative.id, gift)

    assert url == giver.stand_in.account.get("session", giver.checkouts()[0])["url"]
    assert payment.reserved_until > before
    assert giver.stand_in.account.get("session", giver.checkouts()[0])["expires_at"] == int(
        payment.reserved_until.timestamp()
    )


def test_a_voucher_that_goes_along_is_given_at_once_and_linked_and_its_message_goes_with_it(
    session: Session, giver: Giver, initiative: Initiative
) -> None:
    gift = money_gift(1_000, giver_name="Noor", message="Mooi plan!")

    giver.begin(initiative.id, gift, giver.factory.codes()[0])

    assert gifts(session) == [("voucher", "confirmed", 750), ("money", "pending", 1_000)]
    voucher, money = session.scalars(select(Donation).order_by(Donation.id)).all()
    found = view(session, money.reference)
    assert found is not None
    assert (found.voucher_reference, found.voucher_cents) == (voucher.reference, 750)
    assert (voucher.message, money.message) == ("Mooi plan!", None)
    assert (voucher.giver_name, money.giver_name) == ("Noor", "Noor")


def test_a_voucher_that_reaches_the_target_leaves_nothing_to_pay(session: Session, giver: Giver) -> None:
    initiative = giver.factory.initiative(target_cents=5_000)
    for code in giver.factory.codes(6):
        giver.factory.give(code, initiative)
    gift, code = money_gift(500), giver.factory.fresh_codes(1)[0]

    urls = [giver.begin(initiative.id, gift, code) for _time in range(2)]

    voucher = session.scalars(select(Donation).order_by(Donation.id.desc()).limit(1)).one()
    assert urls == [f"/giften/{voucher.reference}"] * 2
    assert giver.said == ["Met je voucher is het hele bedrag er. Er is niets meer te betalen."] * 2
    assert session.scalar(select(func.count()).select_from(Payment)) == 0
    assert initiative.state == "funded"


def test_with_a_wrong_code_nothing_is_begun_and_the_try_counts(
    session: Session, giver: Giver, initiative: Initiative
) -> None:
    error = giver.refused(initiative.id, 1_000, format_payload(123_456_789))

    assert isinstance(error, VoucherNotUsable)
    assert session.scalar(select(func.count()).select_from(CodeAttempt)) == 1
    assert gifts(session) == []


def test_an_amount_that_is_too_much_beside_the_voucher_gives_neither(
    session: Session, giver: Giver, initiative: Initiative
) -> None:
    code = giver.factory.codes()[0]

    error = giver.refused(initiative.id, 5_000, code)

    assert isinstance(error, InvalidInput)
    assert "amount" in error.fields
    assert giver.factory.voucher(code).state == "issued"
    assert gifts(session) == []


def test_the_same_form_with_another_voucher_is_refused(session: Session, giver: Giver, initiative: Initiative) -> None:
    gift, codes = money_gift(), giver.factory.codes(2)
    giver.begin(initiative.id, gift, codes[0])

    error = giver.refused(initiative.id, gift, codes[1])

    assert isinstance(error, Conflict)
    assert [giver.factory.voucher(code).state for code in codes] == ["given", "issued"]
    assert len(gifts(session)) == 2


def test_an_open_checkout_can_be_gone_back_to_and_one_that_ended_cannot(
    session: Session, giver: Giver, initiative: Initiative
) -> None:
    url = giver.begin(initiative.id)
    reference = session.scalars(select(Donation.reference)).one()
    with giver.app.test_request_context("/", method="POST"):
        assert paying.url_of(reference) == url
        giver.stand_in.expire(giver.checkouts()[0])
        assert paying.url_of(reference) is None
        assert paying.url_of("ABCDEFGHJK") is None


def test_where_only_vouchers_are_given_no_payment_can_be_begun(
    session: Session, app: Flask, initiative: Initiative
) -> None:
    with app.test_request_context("/", method="POST"), pytest.raises(NotFound):
        paying.begin(initiative.id, money_gift())

    assert gifts(session) == []


def test_an_address_that_the_provider_does_not_take_is_no_reason_not_to_pay(
    session: Session, giver: Giver, initiative: Initiative, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = giver.stand_in.provider.create_checkout

    def refuse_addresses(request: CheckoutRequest, *, idempotency_key: str) -> Checkout:
        if request.email:
            raise ProviderRefused("Nee.", code="email_invalid")
        return create(request, idempotency_key=idempotency_key)

    monkeypatch.setattr(giver.stand_in.provider, "create_checkout", refuse_addresses)

    url = giver.begin(initiative.id, money_gift(receipt_email="noor@voorbeeld.example"))

    assert url == giver.stand_in.account.get("session", giver.checkouts()[0])["url"]
    assert session.scalars(select(Payment.receipt_email)).one() == "noor@voorbeeld.example"


def test_a_form_with_a_voucher_that_is_sent_again_after_all_was_paid_leads_to_the_receipt_of_the_money(
    session: Session, giver: Giver
) -> None:
    initiative = giver.factory.initiative(target_cents=5_000)
    gift, code = money_gift(4_300), giver.factory.codes()[0]
    giver.begin(initiative.id, gift, code)
    giver.stand_in.pay(giver.checkouts()[0])
    giver.hear()

    url = giver.begin(initiative.id, gift, code)

    money = session.scalars(select(Donation).where(Donation.kind == "money")).one()
    assert (initiative.state, url) == ("funded", f"/giften/{money.reference}")


def test_a_checkout_of_an_account_that_we_have_no_more_cannot_be_gone_back_to(
    session: Session, giver: Giver, initiative: Initiative
) -> None:
    gift = money_gift()
    giver.begin(initiative.id, gift)
    session.scalars(select(Payment)).one().checkout_id = "cs_of_another_account"
    reference = session.scalars(select(Donation.reference)).one()

    assert giver.begin(initiative.id, gift) == f"/giften/{reference}"
