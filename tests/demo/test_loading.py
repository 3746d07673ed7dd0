# SPDX-License-Identifier: EUPL-1.2
"""The demo loads whole, also just after midnight on a Monday after the holidays, and then looks like a working day."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.accountability.models import Accountability, CostReceipt
from abs_platform.accountability.states import AccountabilityState
from abs_platform.accounts.models import Absence, Account, DeskAssignment, VerifiedAddress
from abs_platform.clock import AMSTERDAM, local_date
from abs_platform.database import db
from abs_platform.demo.loading import is_loaded, load
from abs_platform.demo.people import demo_organisers, demo_residents, demo_staff
from abs_platform.help_offers.models import HelpOffer
from abs_platform.initiatives.models import Initiative, Organiser, Revision
from abs_platform.initiatives.states import InitiativeState, RevisionKind
from abs_platform.moderation.models import Decision, DecisionDraft, DeskNote
from abs_platform.moderation.queue import Filters, Queue, waiting
from abs_platform.moderation.states import DecisionKind, WaitingKind
from abs_platform.outbox import MailState, OutgoingMail
from tests.conftest import make_app

NOW = dt.datetime(2027, 1, 4, 0, 20, tzinfo=AMSTERDAM).astimezone(dt.UTC)
NEVER_SENT = {InitiativeState.DRAFT.value}


@pytest.fixture(scope="module")
def town(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An app with the demo in a database of its own, loaded once for this file."""
    folder: Path = tmp_path_factory.mktemp("demo")
    app = make_app(f"abs_demo_{worker}", folder)
    with app.app_context():
        extensions = app.extensions
        load(extensions["settings"], extensions["code_keys"], extensions["file_store"], lambda _line: None, NOW)
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def loaded(town: Flask) -> Iterator[Session]:
    with Session(db.engine) as session:
        yield session


@pytest.fixture
def queue(town: Flask, loaded: Session) -> Queue:
    return waiting(loaded, Filters(), now=NOW, days=town.extensions["settings"].rules.answer_working_days)


def test_every_state_of_an_initiative_is_there(loaded: Session) -> None:
    assert is_loaded(loaded)
    assert set(loaded.scalars(select(Initiative.state))) == {state.value for state in InitiativeState}


def test_everything_that_can_wait_waits_and_nothing_late_is_hidden(queue: Queue) -> None:
    assert queue.counts.kinds == {
        WaitingKind.SUBMITTED.value: 14,
        WaitingKind.CHANGE.value: 3,
        WaitingKind.MESSAGE.value: 4,
        WaitingKind.ACCOUNTABILITY.value: 2,
        WaitingKind.REPORT.value: 1,
    }
    assert queue.counts.late == sum(item.is_late for item in queue.page.items) == 2


def test_every_desk_has_work_and_some_of_it_was_taken_up(loaded: Session, queue: Queue) -> None:
    assert set(queue.counts.desks) == set(loaded.scalars(select(DeskAssignment.area_id)))
    assert len({item.handler for item in queue.page.items if item.handler}) >= 3
    assert any(not item.handler for item in queue.page.items)


def test_somebody_is_absent_today_and_has_a_stand_in(loaded: Session) -> None:
    absence = loaded.scalars(select(Absence)).one()

    assert absence.starts_on <= local_date(NOW) <= absence.ends_on


def test_decisions_of_every_kind_were_given_by_staff_on_their_day(loaded: Session) -> None:
    decisions = loaded.scalars(select(Decision)).all()
    deciders = set(loaded.scalars(select(DeskAssignment.account_id)))

    assert {decision.kind for decision in decisions} == {kind.value for kind in DecisionKind}
    assert {decision.decided_by_id for decision in decisions} <= deciders
    assert all(decision.decided_at < NOW for decision in decisions)
    assert loaded.scalar(select(func.count()).select_from(DecisionDraft)) == 1
    assert loaded.scalar(select(func.count()).select_from(DeskNote)) >= 5


def test_what_was_sent_answers_the_rules_check(loaded: Session) -> None:
    sent = select(Initiative.id).where(Initiative.state.not_in(NEVER_SENT))
    answered = select(Revision.initiative_id).where(
        Revision.kind == RevisionKind.SUBMITTED.value, Revision.content["rule_answers"]["stays"].astext != ""
    )

    assert set(loaded.scalars(sent)) <= set(loaded.scalars(answered))


def test_every_organiser_has_an_account_with_the_name_and_some_addresses_are_verified(loaded: Session) -> None:
    rows = loaded.execute(
        select(Organiser.name, Account.name, Organiser.confirmed_at).outerjoin(
            Account, Account.id == Organiser.account_id
        )
    ).all()

    unconfirmed = [row for row in rows if row.confirmed_at is None]
    verified = loaded.scalar(select(func.count()).select_from(VerifiedAddress)) or 0

    assert len(unconfirmed) == 1
    assert all(row[0] == row[1] for row in rows if row.confirmed_at is not None)
    assert 10 <= verified < len(rows) / 3


def test_accountabilities_are_in_every_state_with_their_receipts(loaded: Session) -> None:
    states = Counter(loaded.scalars(select(Accountability.state)))

    assert set(states) == {state.value for state in AccountabilityState}
    assert states[AccountabilityState.APPROVED.value] == 12
    assert (loaded.scalar(select(func.count()).select_from(CostReceipt)) or 0) > 40


def test_help_waits_was_accepted_and_was_thanked_for(loaded: Session) -> None:
    assert set(loaded.scalars(select(HelpOffer.state))) == {"offered", "accepted", "thanked"}


def test_no_mail_waits_and_none_is_older_than_mails_are_kept(loaded: Session) -> None:
    states = Counter(loaded.scalars(select(OutgoingMail.state)))
    oldest = loaded.scalars(select(func.min(OutgoingMail.queued_at))).one()

    assert set(states) == {MailState.SENT.value}
    assert 40 <= states[MailState.SENT.value] < 1_000
    assert oldest > NOW - dt.timedelta(days=30)


def test_the_page_of_who_one_can_be_has_staff_an_organiser_per_state_and_residents(
    town: Flask, loaded: Session
) -> None:
    staff = demo_staff(loaded, secret_key=town.extensions["settings"].secret_key, now=NOW)
    residents = demo_residents(loaded, most=2)

    assert len(staff) == 6
    assert len(demo_organisers(loaded)) == len(InitiativeState)
    assert len(residents) == 2
    assert all(resident.questions and resident.offers for resident in residents)
