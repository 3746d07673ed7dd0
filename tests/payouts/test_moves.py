# SPDX-License-Identifier: EUPL-1.2
"""The table of steps, states and people: every pair that is not in it is refused, and nobody takes two steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from abs_platform.accounts.models import Account, DeskAssignment
from abs_platform.errors import AbsError, Conflict, NotAllowed
from abs_platform.finance.models import BooksCheck
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState
from abs_platform.payouts import approving, service
from abs_platform.payouts.models import Payout
from abs_platform.payouts.states import LIVING_STATES, PayoutState
from abs_platform.users import Role
from tests.factories import SECRET_KEY, TEST_ACTOR
from tests.payouts.three_people import OTHER_IBAN, Paying, details
from tests.people import OWN_DESK

S = PayoutState
WHO = ("anna", "bram", "stranger", "sanne", "els", "carla", "frits", "fatou", "tom")
DESK, FINANCE = ("sanne", "tom"), ("frits", "fatou")
# Step -> state -> who may; what is not here is refused.
TABLE: dict[str, dict[PayoutState, tuple[str, ...]]] = {
    "correct": dict.fromkeys((S.REQUESTED, S.INCOMPLETE, S.CONFIRMED, S.APPROVED), ("anna",)),
    "take_back": dict.fromkeys((S.REQUESTED, S.INCOMPLETE, S.CONFIRMED, S.APPROVED), ("anna",)),
    "confirm": {S.REQUESTED: DESK},
    "send_back": {S.REQUESTED: DESK, S.CONFIRMED: FINANCE, S.APPROVED: FINANCE},
    "refuse": {S.REQUESTED: DESK, S.CONFIRMED: FINANCE, S.APPROVED: FINANCE},
    "approve": {S.CONFIRMED: FINANCE},
    "show_iban_at_desk": {S.REQUESTED: DESK},
    "show_iban_at_finance": {S.CONFIRMED: FINANCE},
    "pay_by_hand": {S.EXPORTED: FINANCE},
    "bounce_by_hand": dict.fromkeys((S.EXPORTED, S.PAID), FINANCE),
}


def take(paying: Paying, step: str, payout: Payout, who: Account) -> Any:
    """This step, as this person."""
    session, now = paying.factory.session, paying.factory.now
    seen: dict[str, Any] = {"user": paying.user(who), "now": now}
    version = {"version": payout.version}
    sealed = {"secret_key": SECRET_KEY}
    steps: dict[str, Callable[[], Any]] = {
        "correct": lambda: service.correct(session, payout.id, details(iban=OTHER_IBAN), **seen, **version, **sealed),
        "take_back": lambda: service.take_back(session, payout.id, **seen),
        "confirm": lambda: approving.confirm(session, payout.id, **seen, **version),
        "send_back": lambda: approving.send_back(session, payout.id, "Er mist wat.", **seen, **version),
        "refuse": lambda: approving.refuse(session, payout.id, "Mag niet.", **seen, **version),
        "approve": lambda: approving.approve(session, payout.id, **seen, **version),
        "show_iban_at_desk": lambda: approving.show_iban(session, payout.id, at_desk=True, **seen, **sealed),
        "show_iban_at_finance": lambda: approving.show_iban(session, payout.id, at_desk=False, **seen, **sealed),
        "pay_by_hand": lambda: approving.pay_by_hand(
            session, payout.id, paid_on=paying.today, reason="Gezien bij de bank.", **seen
        ),
        "bounce_by_hand": lambda: approving.bounce_by_hand(session, payout.id, reason="Rekening bestaat niet.", **seen),
    }
    return steps[step]()


def person(paying: Paying, who: str, payout: Payout) -> Account:
    """Somebody of the table."""
    session = paying.factory.session
    if who in {"anna", "bram"}:
        initiative = session.get_one(Initiative, payout.initiative_id)
        return paying.people.organiser_account(initiative, ("anna", "bram").index(who))
    if who == "stranger":
        return paying.factory.account(name="Vera Vreemd")
    found: Account = getattr(paying, who)
    return found


@pytest.mark.parametrize("state", list(S), ids=str)
def test_every_step_is_for_who_stands_in_the_table_and_refused_to_all_others(
    paying: Paying, state: PayoutState
) -> None:
    session = paying.factory.session
    payout = paying.in_state(state)
    session.commit()
    wrong = []

    for step, states in TABLE.items():
        for who in WHO:
            account = person(paying, who, payout)
            paying.user(account)
            savepoint = session.begin_nested()
            try:
                take(paying, step, payout, account)
                happened = True
            except AbsError:
                happened = False
            savepoint.rollback()
            session.expire_all()
            if happened != (who in states.get(state, ())):
                wrong.append(f"{step} by {who}: {'happened' if happened else 'refused'}")

    assert wrong == []


def test_who_confirmed_does_not_approve_whatever_she_is_now(paying: Paying) -> None:
    payout = paying.confirmed(by=paying.tom)
    paying.becomes(paying.tom, Role.FINANCE)

    for step in ("approve", "send_back", "refuse", "show_iban_at_finance"):
        with pytest.raises(NotAllowed, match="al in handen"):
            take(paying, step, payout, paying.tom)

    paying.approve(payout, paying.frits)
    assert paying.fresh(payout.id).state == S.APPROVED


@pytest.mark.parametrize("known_by", ["account", "e-mail"])
@pytest.mark.parametrize("role", [Role.DISTRICT_MANAGER, Role.FINANCE])
def test_an_organiser_takes_no_step_of_staff_known_by_account_or_by_address(
    paying: Paying, known_by: str, role: Role
) -> None:
    session, initiative = paying.factory.session, paying.initiative()
    torn = paying.factory.account("cem@gemeente.example", name="Cem", roles=(role,), desks=(OWN_DESK,))
    organiser = session.query(Organiser).filter_by(initiative_id=initiative.id, role="co_organiser").first()
    assert organiser is not None
    if known_by == "account":
        organiser.account_id = torn.id
    else:
        organiser.email = "cem@gemeente.example"
    session.flush()
    is_desk = role == Role.DISTRICT_MANAGER
    payout = paying.requested(initiative) if is_desk else paying.confirmed(initiative)

    for step in ("confirm" if is_desk else "approve", "send_back", "refuse"):
        with pytest.raises(NotAllowed):
            take(paying, step, payout, torn)


def test_an_initiator_of_the_municipality_neither_confirms_nor_approves_the_own_payout(paying: Paying) -> None:
    payout = paying.requested()
    anna = paying.initiator(payout)
    paying.becomes(anna, Role.DISTRICT_MANAGER)
    paying.factory.session.add(DeskAssignment(account_id=anna.id, area_id=paying.factory.area_id(OWN_DESK)))
    paying.factory.session.flush()

    with pytest.raises(NotAllowed):
        take(paying, "confirm", payout, anna)
    paying.confirm(payout, paying.sanne)
    paying.becomes(anna, Role.FINANCE)
    with pytest.raises(NotAllowed):
        take(paying, "approve", payout, anna)

    assert paying.fresh(payout.id).state == S.CONFIRMED


@pytest.mark.parametrize(("column", "constraint"), [
    ("confirmed_by_id = requested_by_id, confirmed_at = now()", "ck_payouts_confirmed_by_another"),
    ("approved_by_id = requested_by_id, approved_at = now()", "ck_payouts_approved_by_another"),
    ("approved_by_id = confirmed_by_id, approved_at = now()", "ck_payouts_two_pairs_of_eyes"),
    ("approved_by_id = NULL, approved_at = NULL", "ck_payouts_approved_when_further"),
    ("confirmed_at = NULL", "ck_payouts_confirmed_by_somebody"),
    ("state = 'paid'", "ck_payouts_paid_on_when_paid"),
    ("state = 'exported'", "ck_payouts_batch_when_exported"),
    ("state = 'refused'", "ck_payouts_remark_when_back"),
    ("state = 'gone'", "ck_payouts_state_known"),
    ("amount_cents = 0", "ck_payouts_amount_positive"),
    ("holder_name = 'x'", "ck_payouts_holder_name_length"),
])  # fmt: skip
def test_the_database_refuses_what_the_verbs_refuse(paying: Paying, column: str, constraint: str) -> None:
    payout = paying.approved()
    session = paying.factory.session
    session.commit()

    with pytest.raises(IntegrityError, match=constraint):
        session.execute(text(f"UPDATE payouts SET {column} WHERE id = :id"), {"id": payout.id})
    session.rollback()


def test_the_database_holds_one_living_payout_an_initiative_and_deletes_none(paying: Paying) -> None:
    payout = paying.requested()
    session = paying.factory.session
    session.commit()
    columns = (
        "initiative_id, amount_cents, state, state_changed_at, iban_sealed, iban_digest, iban_masked, holder_name,"
        "holder_kind, requested_at, requested_by_id"
    )
    again = f"INSERT INTO payouts ({columns}, end_to_end_id) SELECT {columns}, 'X' FROM payouts WHERE id = :id"

    with pytest.raises(IntegrityError, match="uq_payouts_one_living"):
        session.execute(text(again), {"id": payout.id})
    session.rollback()
    with pytest.raises(Exception, match="payouts"):
        session.execute(text("DELETE FROM payouts"))
    session.rollback()


def test_nothing_is_approved_while_the_books_are_broken(paying: Paying) -> None:
    payout, session = paying.confirmed(), paying.factory.session
    session.add(BooksCheck(checked_at=paying.factory.now, breach_count=1))
    session.flush()

    with pytest.raises(Conflict, match="De boeken kloppen niet"):
        paying.approve(payout, paying.frits)

    session.add(BooksCheck(checked_at=paying.factory.now, breach_count=0))
    session.flush()
    paying.approve(payout, paying.frits)
    assert paying.fresh(payout.id).state == S.APPROVED


@pytest.mark.parametrize("state", list(InitiativeState), ids=str)
def test_only_an_initiative_that_has_its_money_is_paid(paying: Paying, state: InitiativeState) -> None:
    initiative = paying.initiative(state)
    may = state in {InitiativeState.FUNDED, InitiativeState.IN_PROGRESS, InitiativeState.REALISED}

    if may:
        assert paying.requested(initiative).state == S.REQUESTED
    else:
        with pytest.raises(AbsError):
            paying.requested(initiative)


@pytest.mark.parametrize("state", [state for state in LIVING_STATES if state != S.EXPORTED], ids=str)
def test_what_is_not_at_the_bank_ends_with_its_initiative(paying: Paying, state: PayoutState) -> None:
    payout, session = paying.in_state(state), paying.factory.session
    initiatives.stop(session, payout.initiative_id, reason="Gevaarlijk.", actor=TEST_ACTOR, now=paying.factory.now)

    # Between stopping and the job nobody can take it further.
    for step, who in (("confirm", paying.sanne), ("approve", paying.fatou), ("correct", paying.anna)):
        account = who if isinstance(who, Account) else who(session.get_one(Initiative, payout.initiative_id))
        with pytest.raises(AbsError):
            take(paying, step, payout, account)
    ended = {"reason": "Het initiatief is gestopt.", "actor": TEST_ACTOR, "now": paying.factory.now}
    assert service.refuse_living(session, payout.initiative_id, **ended) == 1
    assert service.refuse_living(session, payout.initiative_id, **ended) == 0

    assert (payout.state, payout.remark) == (S.REFUSED, "Het initiatief is gestopt.")
    assert len(paying.people.mails("payout-refused:")) == 1


def test_what_is_at_the_bank_stays_there_when_its_initiative_ends(paying: Paying) -> None:
    payout = paying.exported()
    ended = {"reason": "Gestopt.", "actor": TEST_ACTOR, "now": paying.factory.now}

    assert service.refuse_living(paying.factory.session, payout.initiative_id, **ended) == 0
    assert payout.state == S.EXPORTED
