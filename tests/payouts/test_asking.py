# SPDX-License-Identifier: EUPL-1.2
"""Asking for money: the account number and its holder, the amount, other details that start over, what the bank did."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from abs_platform import sealing
from abs_platform.accounts.leaving import delete_account
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.finance.models import FinanceTask
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.queries import balances
from abs_platform.payouts import approving, queries, service
from abs_platform.payouts.schemas import holds_iban, read_details, read_iban
from abs_platform.payouts.states import HolderKind, PayoutState
from tests.factories import SECRET_KEY, TEST_ACTOR
from tests.payouts.three_people import GERMAN_IBAN, IBAN, MASKED, OTHER_IBAN, RAISED, Paying, details

S = PayoutState
FORM = {"iban": IBAN, "holder_name": "Stichting Noorderplein", "holder_kind": "organisation", "amount": "52,50"}


# -- what is typed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [IBAN, "NL91 ABNA 0417 1643 00", " nl91abna0417164300 ", "NL91-ABNA-0417-1643-00", "NL91.ABNA.0417.1643.00"],
)
def test_an_account_number_is_read_however_it_is_typed(typed: str) -> None:
    assert read_iban(typed) == IBAN


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("NL91ABNA0417164301", "typefout"),
        ("NL91ABNA041716430", "te kort of te lang"),
        ("hallo", "geen rekeningnummer"),
        ("0417164300", "geen rekeningnummer"),
        ("NL91", "geen rekeningnummer|te kort"),
        ("SA0380000000608010167519", "dit land"),
        ("", "Vul het rekeningnummer in"),
        ("NL02ABNA0123456789", "van de gemeente zelf"),
    ],
)
def test_a_wrong_account_number_comes_back_with_what_is_wrong(app: Flask, typed: str, sentence: str) -> None:
    with app.test_request_context(), pytest.raises(InvalidInput) as refused:
        read_details(FORM | {"iban": typed}, own_iban="NL02ABNA0123456789", is_new=True)

    assert any(part in refused.value.fields["iban"] for part in sentence.split("|"))


@pytest.mark.parametrize("iban", [IBAN, GERMAN_IBAN, "BE71096123456769", "GB29NWBK60161331926819"])
def test_every_country_of_sepa_will_do(app: Flask, iban: str) -> None:
    with app.test_request_context():
        assert read_details(FORM | {"iban": iban}, own_iban=None, is_new=True).iban == iban


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"holder_name": "A"}, "holder_name"),
        ({"holder_name": "A" * 71}, "holder_name"),
        ({"holder_name": IBAN}, "holder_name"),
        ({"holder_name": "!!!"}, "holder_name"),
        ({"holder_kind": ""}, "holder_kind"),
        ({"holder_kind": "bank"}, "holder_kind"),
        ({"amount": "veel"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
    ],
)
def test_each_field_says_what_is_wrong_with_it(app: Flask, changes: dict[str, str], field: str) -> None:
    with app.test_request_context(), pytest.raises(InvalidInput) as refused:
        read_details(FORM | changes, own_iban=None, is_new=True)

    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Het nummer NL91 ABNA 0417 1643 00 klopt niet.", True),
        ("nl91abna0417164300", True),
        (f"({GERMAN_IBAN})", True),
        ("Het nummer NL91 ABNA 0417 1643 01 klopt niet.", False),
        ("De naam klopt niet, bel 0546 123456.", False),
        ("", False),
    ],
)
def test_an_account_number_in_a_text_is_seen(text: str, *, expected: bool) -> None:
    assert holds_iban(text) is expected


# -- asking ---------------------------------------------------------------------------------------------------------


def test_a_request_is_sealed_masked_and_written_down_without_the_number(paying: Paying) -> None:
    payout = paying.requested()

    assert (payout.state, payout.amount_cents, payout.version) == (S.REQUESTED, RAISED, 1)
    assert payout.iban_masked == MASKED
    assert IBAN.encode() not in payout.iban_sealed
    assert sealing.unseal(SECRET_KEY, "iban", str(payout.initiative_id), payout.iban_sealed) == IBAN.encode()
    assert sealing.unseal(SECRET_KEY, "iban", str(payout.initiative_id + 1), payout.iban_sealed) is None
    assert paying.kinds("payout", payout.id) == ["requested"]
    assert paying.kinds("initiative", payout.initiative_id)[-1] == "payout_requested"
    assert len(payout.end_to_end_id) <= 35
    assert "iban" not in repr(details()).lower()


@pytest.mark.parametrize("cents", [RAISED + 1, 0, -1])
def test_no_more_is_asked_than_the_books_hold(paying: Paying, cents: int) -> None:
    with pytest.raises(InvalidInput, match="Vul een bedrag in"):
        paying.requested(amount_cents=cents)


def test_a_part_may_be_asked_and_later_the_rest_but_never_more(paying: Paying) -> None:
    initiative = paying.initiative()
    first = paying.paid(initiative, amount_cents=2_000)
    assert queries.balance_of(paying.factory.session, initiative.id) == RAISED - 2_000

    with pytest.raises(InvalidInput):
        paying.requested(initiative, amount_cents=RAISED - 2_000 + 1)
    second = paying.requested(initiative, amount_cents=RAISED - 2_000)

    assert first.id != second.id
    assert queries.paid_out_of(paying.factory.session, initiative.id) == 2_000
    with pytest.raises(Conflict, match="loopt al een uitbetaling"):
        paying.requested(initiative, amount_cents=1)


def test_nothing_is_left_to_ask_for_when_all_was_paid(paying: Paying) -> None:
    initiative = paying.initiative()
    paying.paid(initiative)

    with pytest.raises(Conflict, match="geen geld"):
        paying.requested(initiative, amount_cents=1)


def test_only_the_initiator_asks(paying: Paying) -> None:
    initiative = paying.initiative()
    bram = paying.people.organiser_account(initiative, 1)

    for account in (bram, paying.sanne, paying.frits):
        with pytest.raises(NotFound):
            service.request(
                paying.factory.session,
                initiative.id,
                details(),
                user=paying.user(account),
                secret_key=SECRET_KEY,
                now=paying.factory.now,
            )


@pytest.mark.parametrize("state", [S.CONFIRMED, S.APPROVED, S.INCOMPLETE], ids=str)
@pytest.mark.parametrize(
    "changes",
    [{"iban": OTHER_IBAN}, {"holder_name": "Anna de Vries"}, {"holder_kind": HolderKind.PERSON}, {"amount_cents": 99}],
    ids=lambda changes: next(iter(changes)),
)
def test_other_details_start_over(paying: Paying, state: PayoutState, changes: dict[str, object]) -> None:
    payout = paying.in_state(state)

    assert paying.correct(payout, **changes)

    assert (payout.state, payout.version, payout.remark) == (S.REQUESTED, 2, "")
    assert (payout.confirmed_by_id, payout.confirmed_at, payout.approved_by_id, payout.approved_at) == (None,) * 4
    with pytest.raises(Conflict, match="intussen veranderd"):
        paying.confirm(payout, paying.sanne, version=1)
    paying.confirm(payout, paying.sanne, version=2)
    with pytest.raises(Conflict, match="intussen veranderd"):
        paying.approve(payout, paying.frits, version=1)
    paying.approve(payout, paying.frits, version=2)


def test_a_form_that_changes_nothing_leaves_what_was_confirmed(paying: Paying) -> None:
    payout = paying.confirmed()
    sealed = payout.iban_sealed

    assert not paying.correct(payout)
    assert not paying.correct(payout, iban="")

    assert (payout.state, payout.version, payout.iban_sealed) == (S.CONFIRMED, 1, sealed)


def test_an_empty_number_keeps_the_one_that_is_there(paying: Paying) -> None:
    payout = paying.requested()

    assert paying.correct(payout, iban="", holder_name="Vereniging Noorderplein")

    assert payout.iban_masked == MASKED
    assert service.iban_of(payout, SECRET_KEY) == IBAN


def test_what_was_taken_back_can_be_asked_for_again(paying: Paying) -> None:
    initiative = paying.initiative()
    payout = paying.approved(initiative)

    service.take_back(
        paying.factory.session, payout.id, user=paying.user(paying.anna(initiative)), now=paying.factory.now
    )

    assert payout.state == S.REFUSED
    assert paying.people.mails("payout-") == []
    assert paying.requested(initiative).id != payout.id


def test_who_asked_for_money_that_is_on_its_way_cannot_leave(paying: Paying) -> None:
    payout = paying.exported(paying.initiative(InitiativeState.REALISED))
    anna, session = paying.initiator(payout), paying.factory.session

    with pytest.raises(Conflict, match="uitbetaling aan die nog loopt"):
        delete_account(session, anna.id, actor=TEST_ACTOR, now=paying.factory.now)

    approving.mark_paid(session, payout.id, paid_on=paying.today, actor=TEST_ACTOR, now=paying.factory.now)
    assert delete_account(session, anna.id, actor=TEST_ACTOR, now=paying.factory.now)


# -- what the desks and the bank did --------------------------------------------------------------------------------


def test_what_is_missing_goes_to_the_initiator_in_one_mail_without_a_number(paying: Paying) -> None:
    payout = paying.in_state(S.INCOMPLETE)

    (mail,) = paying.people.mails("payout-incomplete:")
    assert mail.recipient == paying.initiator(payout).email
    assert "De naam mist." in str(mail.text_body)
    assert "4300" not in f"{mail.text_body}{mail.html_body}{mail.subject}"


def test_a_payment_is_booked_once_and_told_once(paying: Paying) -> None:
    payout = paying.paid()
    session = paying.factory.session

    with pytest.raises(Conflict):
        approving.mark_paid(session, payout.id, paid_on=paying.today, actor=TEST_ACTOR, now=paying.factory.now)

    assert queries.balance_of(session, payout.initiative_id) == 0
    assert {row.account: row.amount_cents for row in balances(session)}["bank"] == RAISED
    (mail,) = paying.people.mails("payout-paid:")
    assert "€ 52,50" in str(mail.text_body).replace("\u00a0", " ")
    assert queries.at_the_bank(session, payout.initiative_id)


@pytest.mark.parametrize("was_paid", [True, False])
def test_what_bounced_is_booked_back_when_it_was_booked_and_becomes_a_task(paying: Paying, *, was_paid: bool) -> None:
    payout = paying.paid() if was_paid else paying.exported()
    session = paying.factory.session

    approving.mark_bounced(session, payout.id, reason="AC04", actor=TEST_ACTOR, now=paying.factory.now)

    assert payout.state == S.BOUNCED
    assert queries.balance_of(session, payout.initiative_id) == RAISED
    assert not queries.at_the_bank(session, payout.initiative_id)
    task = session.scalars(select(FinanceTask).where(FinanceTask.payout_id == payout.id)).one()
    assert (task.kind, task.amount_cents) == ("payout_bounced", RAISED)
    assert len(paying.people.mails("payout-bounced:")) == 1
    again = paying.requested(paying.initiative_of(payout), iban=OTHER_IBAN)
    assert again.state == S.REQUESTED


def test_nothing_is_paid_that_the_books_do_not_hold(paying: Paying) -> None:
    payout = paying.exported()
    payout.amount_cents = RAISED + 1  # by hand: no verb does so
    paying.factory.session.flush()

    with pytest.raises(Conflict, match="In de boeken staat minder"):
        approving.mark_paid(
            paying.factory.session, payout.id, paid_on=paying.today, actor=TEST_ACTOR, now=paying.factory.now
        )


def test_by_hand_only_after_release_on_a_day_that_can_be_and_with_a_reason(paying: Paying) -> None:
    payout = paying.approved()
    batch = paying.export(payout, state="made")
    by_hand = {"user": paying.user(paying.fatou), "now": paying.factory.now}
    session = paying.factory.session

    with pytest.raises(Conflict, match="nog niet vrijgegeven"):
        approving.pay_by_hand(session, payout.id, paid_on=paying.today, reason="Gezien.", **by_hand)
    batch.state, batch.released_at, batch.released_by_id = "released", paying.factory.now, paying.fatou.id
    session.flush()
    for paid_on, reason in (
        (paying.today + dt.timedelta(days=1), "Gezien."),
        (paying.today - dt.timedelta(days=1), "Gezien."),
        (paying.today, "  "),
    ):
        with pytest.raises(InvalidInput):
            approving.pay_by_hand(session, payout.id, paid_on=paid_on, reason=reason, **by_hand)
    approving.pay_by_hand(session, payout.id, paid_on=paying.today, reason="Gezien.", **by_hand)

    assert (payout.state, payout.paid_on, payout.paid_note) == (S.PAID, paying.today, "Gezien.")
    assert batch.state == "settled"
