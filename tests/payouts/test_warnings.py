# SPDX-License-Identifier: EUPL-1.2
"""What stands beside the button: that something is so, and never of whom; and what was not spent and comes back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from abs_platform.accountability.models import Accountability, CostLine
from abs_platform.errors import Conflict, InvalidInput, NotAllowed
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState
from abs_platform.initiatives.subjects import subject_of
from abs_platform.ledger.queries import balances
from abs_platform.payouts import paybacks, queries
from abs_platform.payouts.models import Payout
from abs_platform.payouts.returning import book_return
from abs_platform.payouts.states import HolderKind
from abs_platform.payouts.warnings import warnings_of
from tests.payouts.three_people import GERMAN_IBAN, RAISED, Paying


def said(paying: Paying, payout: Payout) -> list[str]:
    """What Frits reads."""
    session = paying.factory.session
    session.flush()
    view = queries.find(session, payout.id)
    assert view is not None
    subject = subject_of(session, payout.initiative_id)
    found = warnings_of(session, view, subject, user=paying.user(paying.frits), rules=paying.factory.rules)
    return [sentence.replace("\u00a0", " ") for sentence in found]


def test_an_organisation_that_was_here_before_gets_no_warning(paying: Paying) -> None:
    payout = paying.requested()
    paying.initiator(payout).created_at = paying.factory.now - dt.timedelta(days=31)

    assert said(paying, payout) == []


def test_the_same_number_elsewhere_is_told_without_whom(paying: Paying) -> None:
    payout = paying.requested()
    paying.initiator(payout).created_at = paying.factory.now - dt.timedelta(days=31)
    other = paying.initiative(title="Het geheime andere plan")
    paying.requested(other)

    (sentence,) = said(paying, payout)

    assert sentence == "Dit rekeningnummer staat ook bij 1 ander initiatief, van andere organisatoren."
    session = paying.factory.session
    ours = session.query(Organiser).filter_by(initiative_id=payout.initiative_id, role="co_organiser").first()
    theirs = session.query(Organiser).filter_by(initiative_id=other.id, role="co_organiser").first()
    assert ours is not None
    assert theirs is not None
    theirs.email = ours.email
    (sentence,) = said(paying, payout)
    assert sentence.endswith("1 ander initiatief van een organisator van dit initiatief.")
    assert "geheim" not in sentence


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"holder_name": "J. Vos"}, "lijkt op jouw naam"),
        ({"holder_kind": HolderKind.PERSON}, "nog nooit naar deze rekening uitbetaald"),
        ({"iban": GERMAN_IBAN}, "buitenland (DE)"),
        ({"holder_name": "Café Noord & Co"}, "De bank krijgt: Cafe Noord + Co"),
    ],
    ids=["name", "person", "abroad", "signs"],
)
def test_what_is_odd_is_told(paying: Paying, changes: dict[str, Any], expected: str) -> None:
    payout = paying.requested(**changes)
    paying.initiator(payout).created_at = paying.factory.now - dt.timedelta(days=31)

    (sentence,) = said(paying, payout)

    assert expected in sentence


def test_a_young_account_more_than_the_target_and_changed_details_are_told(paying: Paying) -> None:
    payout = paying.requested()
    paying.initiator(payout).created_at = paying.factory.now - dt.timedelta(days=29)
    paying.initiative_of(payout).target_cents = RAISED - 1_000
    paying.correct(payout, holder_name="Vereniging Noorderplein")

    above, young, changed = said(paying, payout)

    assert above == "Dit is € 10 meer dan het streefbedrag van € 42,50."
    assert "pas 29 dagen oud" in young
    assert "1 keer veranderd" in changed


# -- what was not spent ---------------------------------------------------------------------------------------------


@pytest.fixture
def realised(paying: Paying) -> Initiative:
    """It got EUR 52.50, spent 40 and the desk agreed."""
    initiative = paying.initiative(InitiativeState.REALISED)
    paying.paid(initiative)
    session, now = paying.factory.session, paying.factory.now
    session.add(
        Accountability(
            initiative_id=initiative.id,
            state="approved",
            story="Mooi.",
            saved_at=now,
            saved_by_id=paying.anna(initiative).id,
            submitted_at=now,
            decided_at=now,
            decided_by_id=paying.sanne.id,
        )
    )
    session.flush()
    session.add(CostLine(initiative_id=initiative.id, position=1, description="Bomen", actual_cents=4_000))
    session.flush()
    return initiative


def book(paying: Paying, initiative: Initiative, **changes: Any) -> bool:
    """Frits saw EUR 12.50 come in."""
    usual = {
        "amount_cents": 1_250,
        "received_on": paying.today,
        "note": "",
        "form_key": "a",
        "user": paying.user(paying.frits),
        "now": paying.factory.now,
    }
    return book_return(paying.factory.session, initiative.id, **usual | changes)


def test_what_comes_back_is_booked_once_and_then_nothing_is_due(paying: Paying, realised: Initiative) -> None:
    session = paying.factory.session
    assert [one.due_cents for one in paybacks.due(session)] == [1_250]

    assert book(paying, realised)
    assert not book(paying, realised)

    assert paybacks.due(session) == []
    found = {row.account: row.amount_cents for row in balances(session)}
    assert (found["surplus"], found["bank"]) == (1_250, RAISED - 1_250)
    assert [one.amount_cents for one in paybacks.returns_of(session, realised.id)] == [1_250]
    with pytest.raises(Conflict, match="al verstuurd"):
        book(paying, realised, amount_cents=1)


def test_never_more_comes_back_than_was_paid_out_nor_on_a_day_that_is_not_there(
    paying: Paying, realised: Initiative
) -> None:
    book(paying, realised)

    for changes in (
        {"amount_cents": RAISED - 1_250 + 1},
        {"amount_cents": 0},
        {"amount_cents": -1},
        {"amount_cents": 1, "received_on": paying.today + dt.timedelta(days=1)},
    ):
        with pytest.raises(InvalidInput):
            book(paying, realised, form_key="b", **changes)
    with pytest.raises(InvalidInput, match="niets uitbetaald"):
        book(paying, paying.initiative(), form_key="b")
    for account in (paying.sanne, paying.carla, paying.anna(realised)):
        with pytest.raises(NotAllowed):
            book(paying, realised, form_key="b", user=paying.user(account))


def test_nothing_is_due_before_the_desk_agreed_with_the_costs(paying: Paying, realised: Initiative) -> None:
    session = paying.factory.session
    session.get_one(Accountability, realised.id).state = "submitted"
    session.flush()

    found = paybacks.payback_of(session, realised.id)

    assert paybacks.due(session) == []
    assert found is not None
    assert (found.due_cents, found.most_cents) == (0, RAISED)
