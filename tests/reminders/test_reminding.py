# SPDX-License-Identifier: EUPL-1.2
"""Reminders: to whom they should, on the day they should, once; a second run or a crash half-way changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accountability import service as accountability
from abs_platform.accountability.service import CostInput
from abs_platform.accounts.models import Absence
from abs_platform.clock import AMSTERDAM, local_date
from abs_platform.database import db
from abs_platform.donations.service import GiftDetails
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.answering import invitation_of
from abs_platform.initiatives.inviting import invite
from abs_platform.initiatives.models import Initiative, Organiser, Proposal
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.reminders import service
from abs_platform.users import Role
from abs_platform.working_days import add_working_days, answer_by
from jobs import send_reminders
from jobs.runner import JobReport
from tests.concurrency.racing import at_once
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.people import OTHER_DESK, OWN_DESK, People

DAY = dt.timedelta(days=1)
SATURDAY = dt.datetime(2026, 11, 21, 8, 0, tzinfo=AMSTERDAM)


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


def run(session: Session, now: dt.datetime) -> JobReport:
    """Run the job, which has a session of its own."""
    session.commit()
    report = send_reminders.run(now)
    db.session.rollback()
    session.expire_all()
    assert report.errors == []
    return report


def at(days: float, factory: Factory) -> dt.datetime:
    """So many days after what the factory did."""
    return factory.now + days * DAY


def drafted(factory: Factory) -> Initiative:
    """Somebody wrote at it now, and went away."""
    made = factory.initiative(State.DRAFT)
    factory.session.add(
        Proposal(initiative_id=made.id, content={}, changed_in={}, saved_at=factory.now, saved_by_id=None)
    )
    factory.session.flush()
    return made


def asked(factory: Factory) -> Initiative:
    """The desk asked for something now."""
    made = factory.initiative(State.SUBMITTED)
    initiatives.request_changes(factory.session, made.id, reason="Meer uitleg.", actor=TEST_ACTOR, now=factory.now)
    return made


def in_state(state: State) -> Callable[[Factory], Initiative]:
    """It came to this state now."""
    return lambda factory: factory.initiative(state, target_cents=5_250)


Case = tuple[Callable[[Factory], Initiative], str, int, int]
# What waits, the mail, and the first and last day on which it is told.
CASES: list[Case] = [
    (drafted, "reminder_draft", 14, 43),
    (asked, "reminder_changes", 14, 43),
    (in_state(State.FUNDED), "reminder_begin", 30, 59),
    (in_state(State.IN_PROGRESS), "accountability_due", 60, 60 + 24 * 30 - 1),
]


@pytest.mark.parametrize("case", CASES, ids=[case[1] for case in CASES])
def test_organisers_are_told_from_the_first_day_until_it_is_no_use_any_more(
    session: Session, factory: Factory, people: People, case: Case
) -> None:
    make, mail, first, last = case
    make(factory)
    organisers = 3

    assert run(session, at(first - 0.1, factory)).changed == 0
    assert run(session, at(first + 0.1, factory)).changed == organisers
    assert run(session, at(first + 0.2, factory)).changed == 0
    assert run(session, at(first + 5, factory)).changed == 0
    assert len(people.mails(f"{mail}:")) == organisers
    assert run(session, at(last + 1.1, factory)).changed == 0


@pytest.mark.parametrize("case", CASES, ids=[case[1] for case in CASES])
def test_a_month_of_silence_of_the_job_heals_itself(
    session: Session, factory: Factory, people: People, case: Case
) -> None:
    make, mail, first, _last = case
    make(factory)

    assert run(session, at(first + 29, factory)).changed == 3
    assert len(people.mails(f"{mail}:")) == 3


def test_a_draft_that_is_taken_up_again_and_left_again_is_told_again(
    session: Session, factory: Factory, people: People
) -> None:
    made = drafted(factory)
    run(session, at(14, factory))
    session.get_one(Proposal, made.id).saved_at = at(20, factory)

    assert run(session, at(30, factory)).changed == 0
    assert run(session, at(34, factory)).changed == 3
    assert len(people.mails("reminder_draft:")) == 6


def test_who_does_something_after_the_desk_asked_is_left_in_peace(session: Session, factory: Factory) -> None:
    made = asked(factory)
    session.add(Proposal(initiative_id=made.id, content={}, changed_in={}, saved_at=at(10, factory), saved_by_id=None))

    assert run(session, at(15, factory)).changed == 0
    assert run(session, at(24, factory)).changed == 3


def test_an_accountability_is_asked_every_month_until_it_was_sent(
    session: Session, factory: Factory, people: People
) -> None:
    made = factory.initiative(State.IN_PROGRESS, target_cents=5_250)
    for days, number in ((60, 3), (89, 0), (90, 3), (120, 3), (300, 3)):
        assert run(session, at(days, factory)).changed == number, days
    account = people.organiser_account(made)
    who: dict[str, Any] = {"by_id": account.id, "actor": TEST_ACTOR, "now": factory.now}
    accountability.save_story(session, made.id, "Klaar.", version=0, **who)
    for position in (1, 2):
        cost = CostInput(actual_cents=1, no_receipt_reason="Kwijt.")
        accountability.save_cost(session, made.id, position, cost, **who)
    assert run(session, at(330, factory)).changed == 3
    accountability.submit(session, made.id, **who)

    report = run(session, at(360, factory))

    assert people.mails("accountability_due:")[-1].event.endswith("month-9")
    assert report.changed == 0


@pytest.mark.parametrize(
    ("days_left", "raised", "told"),
    [(14, 0, True), (14, 6, True), (14, 7, False), (15, 0, False), (1, 0, True), (0, 0, False)],
)
def test_two_weeks_before_the_end_and_not_half_way_is_told_once(
    session: Session, factory: Factory, people: People, days_left: int, raised: int, *, told: bool
) -> None:
    made = factory.initiative(target_cents=10_000, days_left=days_left)
    for code in factory.fresh_codes(raised):
        assert factory.give(code, made, GiftDetails())

    first = run(session, factory.now)
    run(session, at(1, factory))

    assert first.changed == (3 if told else 0)
    if told:
        assert "€ 100" in str(people.mails("reminder_deadline:")[0].text_body).replace("\u00a0", " ")
        assert len(people.mails("reminder_deadline:")) == 3


def test_who_was_asked_to_carry_it_is_reminded_after_three_and_seven_days_with_a_link_that_works(
    session: Session, factory: Factory, people: People
) -> None:
    made = drafted(factory)
    one = invite(
        session,
        made.id,
        name="Dirk",
        email="dirk@voorbeeld.example",
        secret_key=SECRET_KEY,
        actor=TEST_ACTOR,
        now=factory.now,
    )
    first_link = people.mails("initiative.invitation:")[0].text_body

    assert [run(session, at(days, factory)).changed for days in (2.9, 3.1, 3.2, 6.9, 7.1, 7.2, 13.0)] == [
        0,
        1,
        0,
        0,
        1,
        0,
        0,
    ]

    mails = people.mails("reminder-co-organiser:")
    assert {mail.recipient for mail in mails} == {"dirk@voorbeeld.example"}
    assert all(mail.is_secret for mail in mails)
    token = str(mails[-1].text_body).partition("/meedoen/")[2].split()[0]
    assert token
    assert token not in str(first_link)
    assert invitation_of(session, token, secret_key=SECRET_KEY, now=at(8, factory)).organiser.id == one.id


@pytest.mark.parametrize("answer", ["confirmed_at", "declined_at"])
def test_who_answered_is_not_reminded(session: Session, factory: Factory, answer: str) -> None:
    made = drafted(factory)
    one = invite(
        session,
        made.id,
        name="Dirk",
        email="dirk@voorbeeld.example",
        secret_key=SECRET_KEY,
        actor=TEST_ACTOR,
        now=factory.now,
    )
    one.postcode, one.house_number = "7609AB", "9"
    setattr(one, answer, at(1, factory))

    assert run(session, at(4, factory)).changed == 0


def monday_with_a_desk(factory: Factory, name: str = "Sanne") -> None:
    """From now on it is a Monday, and somebody works at the desk."""
    factory.now = dt.datetime(2026, 11, 9, 8, 0, tzinfo=AMSTERDAM).astimezone(dt.UTC)
    factory.account(f"{name.lower()}@gemeente.example", name=name, roles=(Role.DISTRICT_MANAGER,), desks=(OWN_DESK,))


def submitted(factory: Factory, moment: dt.datetime) -> Initiative:
    """It was sent to the desk at a moment."""
    made = factory.initiative(State.SUBMITTED)
    made.submitted_at = moment
    factory.session.flush()
    return made


def test_staff_hear_on_working_days_what_is_late_or_due_tomorrow(
    session: Session, factory: Factory, people: People
) -> None:
    monday_with_a_desk(factory)
    made = submitted(factory, factory.now)
    factory.account("elders@gemeente.example", name="Els", roles=(Role.DISTRICT_MANAGER,), desks=(OTHER_DESK,))
    due = answer_by(factory.now, 10)

    days = {}
    day = local_date(factory.now)
    while day <= add_working_days(due, 2):
        moment = clock.start_of_day(day) + dt.timedelta(hours=8)
        days[day] = run(session, moment).changed
        assert run(session, moment).changed == 0
        day += DAY

    told = [day for day, number in days.items() if number]
    assert told == [add_working_days(due, -1), due, add_working_days(due, 1), add_working_days(due, 2)]
    assert set(days.values()) == {0, 1}
    mails = people.mails("reminder-desk:")
    assert {mail.recipient for mail in mails} == {"sanne@gemeente.example"}
    assert made.title in str(mails[0].text_body)
    assert "1 werkdag te laat" in str(mails[2].text_body)


def test_nobody_of_the_desk_is_disturbed_on_a_saturday(session: Session, factory: Factory) -> None:
    monday_with_a_desk(factory)
    submitted(factory, factory.now - 60 * DAY)

    assert run(session, SATURDAY.astimezone(dt.UTC)).changed == 0
    assert run(session, (SATURDAY + 2 * DAY).astimezone(dt.UTC)).changed == 1


def test_a_stand_in_is_told_instead_of_who_is_away(session: Session, factory: Factory, people: People) -> None:
    monday_with_a_desk(factory)
    monday_with_a_desk(factory, "Tom")
    away, stand_in = (
        factory.account(f"{name}@gemeente.example", name=name, roles=(Role.DISTRICT_MANAGER,), desks=(OTHER_DESK,) * n)
        for name, n in (("ada", 1), ("bea", 0))
    )
    today = local_date(factory.now)
    session.add(Absence(account_id=away.id, stand_in_id=stand_in.id, starts_on=today, ends_on=today))
    made = submitted(factory, factory.now - 30 * DAY)
    made.desk_area_id = factory.area_id(OTHER_DESK)

    run(session, factory.now)

    assert [mail.recipient for mail in people.mails("reminder-desk:")] == ["bea@gemeente.example"]


def test_the_report_counts_exactly_the_mails(session: Session, factory: Factory, people: People) -> None:
    monday_with_a_desk(factory)
    for make, _mail, _first, _last in CASES:
        make(factory)
    submitted(factory, factory.now)

    report = run(session, at(42, factory))

    reminders = [mail for mail in people.mails() if mail.event.startswith(("reminder", "accountability_due"))]
    assert report.changed == len(reminders) == 10


def test_a_crash_half_way_leaves_the_rest_to_the_next_run(
    session: Session, factory: Factory, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [drafted(factory) for _ in range(4)]
    session.commit()
    real, done = service.remind_organisers, []

    def dies_at_the_third(*args: Any, **options: Any) -> int:
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(service, "remind_organisers", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run(session, at(15, factory))
    db.session.rollback()
    monkeypatch.setattr(service, "remind_organisers", real)

    report = run(session, at(15, factory))

    assert report.changed == 2 * 3
    mails = people.mails("reminder_draft:")
    assert len({(mail.event, mail.recipient_digest) for mail in mails}) == len(mails) == 3 * len(made)


def test_two_jobs_at_once_remind_each_once(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    for _ in range(5):
        drafted(own_factory)
    invited = own_factory.initiative(State.DRAFT)
    invite(
        own_factory.session,
        invited.id,
        name="Dirk",
        email="dirk@voorbeeld.example",
        secret_key=SECRET_KEY,
        actor=TEST_ACTOR,
        now=own_factory.now + 10 * DAY,
    )
    own_factory.session.commit()

    def work() -> JobReport:
        with own_app.app_context():
            return send_reminders.run(own_factory.now + 14 * DAY)

    reports = at_once([work, work, work])

    own_factory.session.rollback()
    assert [report.errors for report in reports] == [[], [], []]
    assert sum(report.changed for report in reports) == 5 * 3 + 1 == len(people.mails("reminder"))
    token = str(people.mails("reminder-co-organiser:")[0].text_body).partition("/meedoen/")[2].split()[0]
    one = own_factory.session.scalars(select(Organiser).where(Organiser.email == "dirk@voorbeeld.example")).one()
    with own_app.app_context():
        found = invitation_of(own_factory.session, token, secret_key=SECRET_KEY, now=own_factory.now + 15 * DAY)
    assert found.organiser.id == one.id
