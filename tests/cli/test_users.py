# SPDX-License-Identifier: EUPL-1.2
"""``abs users``: who works here, from the command line, twice if need be."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.accounts import second_factor
from abs_platform.accounts.models import Account, AccountSession, StaffRole
from abs_platform.events import Event
from abs_platform.users import Role
from tests.accounts.mailbox import mails_to
from tests.accounts.staff_helpers import add_app
from tests.cli.conftest import Outcome, Shell
from tests.factories import Factory

RINA = "rina@gemeente.example"


def went_well(outcome: Outcome) -> str:
    assert outcome.status == 0, outcome.err
    assert outcome.err == ""
    return outcome.out


def failed(outcome: Outcome, sentence: str, status: int = 1) -> None:
    assert outcome.status == status, outcome
    assert sentence in outcome.err
    assert "Traceback" not in outcome.err + outcome.out


def test_somebody_is_added_once_however_often_it_is_asked(run_abs: Shell, session: Session) -> None:
    command = ("users", "add", "Rina@Gemeente.Example", "--name", "Rina", "--role", "district_manager")

    first = went_well(run_abs(*command, "--district", "WK014118", "--district", "WK014119"))
    again = went_well(run_abs(*command, "--district", "WK014119"))

    assert first == f"{RINA} is toegevoegd en krijgt een mail.\n"
    assert again == f"{RINA} had dit al.\n"
    assert len(mails_to(session, RINA)) == 1
    event = session.scalars(select(Event).where(Event.kind == "account.work_changed")).one()
    assert event.actor == "command:abs users add"
    listed = went_well(run_abs("users", "list"))
    assert f"{RINA}  Rina  district_manager  Schelfhorst, Windmolenbroek  tweede stap nee  ingelogd -" in listed


def test_adding_again_comes_beside_what_is_there(run_abs: Shell, session: Session) -> None:
    went_well(run_abs("users", "add", RINA, "--role", "coordinator"))

    went_well(run_abs("users", "add", RINA, "--role", "district_manager", "--city"))

    listed = went_well(run_abs("users", "list"))
    assert "coordinator, district_manager  Hele gemeente" in listed
    assert len(mails_to(session, RINA)) == 2


def test_a_role_or_all_can_be_ended_but_not_of_the_last_coordinator(
    run_abs: Shell, session: Session, factory: Factory
) -> None:
    factory.account("baas@gemeente.example", roles=(Role.COORDINATOR,))
    session.commit()
    went_well(run_abs("users", "add", RINA, "--role", "coordinator", "--role", "district_manager", "--city"))

    assert went_well(run_abs("users", "end", RINA, "--role", "coordinator")) == f"{RINA} is geen beheerder meer.\n"
    failed(run_abs("users", "end", "baas@gemeente.example"), "Dit is de laatste beheerder.")
    failed(run_abs("users", "end", RINA, "--role", "finance"), "heeft deze rol niet")
    assert went_well(run_abs("users", "end", RINA)) == f"{RINA} werkt hier niet meer.\n"
    failed(run_abs("users", "end", RINA), "heeft deze rol niet")

    living = session.scalars(select(StaffRole.role).where(StaffRole.ended_at.is_(None))).all()
    assert living == ["coordinator"]


def test_a_second_step_is_reset_and_mailed(run_abs: Shell, session: Session, factory: Factory) -> None:
    account = factory.account(RINA, roles=(Role.FINANCE,))
    add_app(session, account)
    factory.session_of(account)
    session.commit()

    out = went_well(run_abs("users", "reset-second-factor", RINA))

    assert out == f"De tweede stap van {RINA} is gewist.\n"
    session.expire_all()
    assert second_factor.factors_of(session, account.id).count == 0
    assert session.scalars(select(AccountSession.ended_at)).one() is not None
    assert mails_to(session, RINA)[-1].subject == "Je tweede stap is veranderd"


@pytest.mark.parametrize(
    ("arguments", "sentence", "status"),
    [
        (("add", "geen adres", "--role", "finance"), "is geen e-mailadres", 2),
        (("add", RINA), "--role", 2),
        (("add", RINA, "--role", "baas"), "baas", 2),
        (("add", RINA, "--role", "district_manager"), "voor welke wijken", 1),
        (("add", RINA, "--role", "district_manager", "--district", "WK999999"), "WK999999", 2),
        (("add", RINA, "--role", "district_manager", "--district", "BU01411900"), "BU01411900", 2),
        (("add", RINA, "--role", "finance", "--role", "coordinator"), "Wie uitbetaalt, beslist niet", 1),
        (("add", RINA, "--role", "finance", "--city"), "Alleen een wijkregisseur", 1),
        (("end", "niemand@gemeente.example"), "er is niemand met", 1),
        (("reset-second-factor", "niemand@gemeente.example"), "er is niemand met", 1),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    run_abs: Shell, session: Session, arguments: tuple[str, ...], sentence: str, status: int
) -> None:
    failed(run_abs("users", *arguments), sentence, status)

    assert session.scalars(select(Account)).all() == []


def test_a_resident_has_no_role_to_end_and_no_second_step_to_reset(
    run_abs: Shell, session: Session, factory: Factory
) -> None:
    factory.account("bewoner@voorbeeld.example")
    session.commit()

    failed(run_abs("users", "end", "bewoner@voorbeeld.example"), "heeft deze rol niet")
    failed(run_abs("users", "reset-second-factor", "bewoner@voorbeeld.example"), "werkt hier niet")


def test_the_group_explains_itself(run_abs: Shell) -> None:
    out = went_well(run_abs("users", "--help"))

    assert all(name in out for name in ("add", "list", "end", "reset-second-factor"))
