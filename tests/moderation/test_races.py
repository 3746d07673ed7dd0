# SPDX-License-Identifier: EUPL-1.2
"""Two who act on one initiative at the same moment, each on a connection of its own: one wins, the other is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.errors import AbsError, Conflict
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.moderation import deciding, service
from abs_platform.moderation.deciding import DecidedMeanwhile
from abs_platform.moderation.models import Decision, DecisionDraft, Message
from abs_platform.outbox import OutgoingMail
from abs_platform.users import User
from tests.concurrency.racing import at_once, committed, meanwhile, wait_until_blocked
from tests.factories import TEST_ACTOR, Factory
from tests.moderation.people import ELSEWHERE, Desk, Kind
from tests.page import Browser

ROUNDS = 3


@pytest.fixture
def desk(own_app: Flask, own_factory: Factory) -> Desk:
    """The desk on a database that really commits."""
    return Desk(own_app, own_factory, Browser(own_app))


def ready(desk: Desk, initiative: Initiative, kind: Kind, who: Any, **options: str) -> tuple[User, str]:
    """Somebody with a draft and its mail on the screen."""
    session, now = desk.factory.session, desk.factory.now
    desk.draft(initiative, kind, "Mijn eigen reden.", by=who, **options)
    user = desk.user(who)
    prepared = deciding.prepare(session, initiative.id, user=user, rules=desk.factory.rules, now=now)
    assert prepared is not None
    session.commit()
    return user, prepared.letter.digest


def giving(desk: Desk, initiative_id: int, user: User, shown: str) -> Callable[[], int | AbsError]:
    def give(session: Session) -> int:
        return deciding.give(
            session,
            initiative_id,
            shown=shown,
            is_sure=True,
            user=user,
            rules=desk.factory.rules,
            now=desk.factory.now,
        ).id

    return committed(desk.app, give)


def fresh(desk: Desk, initiative_id: int) -> Initiative:
    desk.factory.session.rollback()
    return desk.factory.session.get_one(Initiative, initiative_id, populate_existing=True)


def test_two_who_decide_at_once_one_decides_and_the_other_is_told_and_keeps_her_text(desk: Desk) -> None:
    for _round in range(ROUNDS):
        initiative = desk.submitted()
        number = initiative.id
        sanne, tom = (
            ready(desk, initiative, kind, who) for kind, who in ((Kind.PUBLISH, desk.sanne), (Kind.REJECT, desk.tom))
        )

        results = at_once([giving(desk, number, *sanne), giving(desk, number, *tom)])

        session = desk.factory.session
        refused = [result for result in results if isinstance(result, AbsError)]
        winner = 0 if isinstance(results[1], AbsError) else 1
        assert [type(result) for result in refused] == [DecidedMeanwhile]
        assert refused[0].message == ("Sanne de Boer publiceerde het.", "Tom Jansen wees het af.")[winner]
        assert fresh(desk, number).state == (State.PUBLISHED, State.REJECTED)[winner]
        decision = session.scalars(select(Decision).where(Decision.initiative_id == number)).one()
        mails = session.scalars(select(OutgoingMail).where(OutgoingMail.event == f"decision:{decision.id}")).all()
        assert len(mails) == 3
        drafts = session.scalars(select(DecisionDraft).where(DecisionDraft.initiative_id == number)).all()
        assert [draft.reason for draft in drafts] == ["Mijn eigen reden."]


def test_one_who_presses_send_twice_at_once_decides_once(desk: Desk) -> None:
    initiative = desk.submitted()
    sanne = ready(desk, initiative, Kind.PUBLISH, desk.sanne)

    results = at_once([giving(desk, initiative.id, *sanne)] * 2)

    assert [type(result) for result in results if isinstance(result, AbsError)] == [Conflict]
    assert len(desk.decisions(initiative)) == 1
    assert len(desk.mails("decision:")) == 3


@pytest.mark.parametrize("kind", [Kind.PUBLISH, Kind.REJECT, Kind.REQUEST_CHANGES])
def test_deciding_against_withdrawing_who_comes_first_is_what_happened(desk: Desk, kind: Kind) -> None:
    initiative = desk.submitted()
    number = initiative.id
    sanne = ready(desk, initiative, kind, desk.sanne)

    def withdraw(session: Session) -> None:
        initiatives.withdraw(session, number, reason="Toch niet.", actor=TEST_ACTOR, now=desk.factory.now)

    decided, withdrawn = at_once([giving(desk, number, *sanne), committed(desk.app, withdraw)])

    state, decisions = fresh(desk, number).state, desk.decisions(initiative)
    if isinstance(decided, AbsError):
        assert isinstance(decided, DecidedMeanwhile)
        assert (state, decisions, desk.mails("decision:")) == (State.WITHDRAWN, [], [])
    else:
        assert len(decisions) == 1
        assert isinstance(withdrawn, Conflict) == (kind == Kind.REJECT)  # what was rejected cannot be withdrawn


def test_withdrawing_first_makes_the_decision_that_waits_for_it_refuse(desk: Desk) -> None:
    initiative = desk.submitted()
    number, session = initiative.id, desk.factory.session
    sanne = ready(desk, initiative, Kind.PUBLISH, desk.sanne)
    initiatives.withdraw(session, number, reason="Toch niet.", actor=TEST_ACTOR, now=desk.factory.now)

    with meanwhile(giving(desk, number, *sanne)) as deciding_now:
        with desk.app.app_context():
            wait_until_blocked(session)
        session.commit()

    assert isinstance(deciding_now.result(), DecidedMeanwhile)
    assert fresh(desk, number).state == State.WITHDRAWN
    assert desk.mails("decision:") == []


def test_handing_over_against_publishing_one_of_both_happens(desk: Desk) -> None:
    for _round in range(ROUNDS):
        initiative = desk.submitted()
        number, here = initiative.id, initiative.desk_area_id
        tom = ready(desk, initiative, Kind.HAND_OVER, desk.tom, to=ELSEWHERE)
        sanne = ready(desk, initiative, Kind.PUBLISH, desk.sanne)

        results = at_once([giving(desk, number, *tom), giving(desk, number, *sanne)])

        found = fresh(desk, number)
        assert sum(isinstance(result, DecidedMeanwhile) for result in results) == 1
        if isinstance(results[0], AbsError):
            assert (found.state, found.desk_area_id) == (State.PUBLISHED, here)
        else:
            assert (found.state, found.desk_area_id) == (State.SUBMITTED, desk.factory.area_id(ELSEWHERE))


def test_two_who_take_it_up_at_once_one_has_it_and_the_other_is_told(desk: Desk) -> None:
    initiative = desk.submitted()
    number, users = initiative.id, [desk.user(desk.sanne), desk.user(desk.tom)]
    desk.factory.session.commit()

    def taking(user: User) -> Callable[[], AbsError | None]:
        return committed(
            desk.app,
            lambda session: service.take_up(session, number, seen_handler_id=0, user=user, now=desk.factory.now),
        )

    results = at_once([taking(user) for user in users])

    assert [type(result) for result in results if result is not None] == [Conflict]
    assert fresh(desk, number).handler_id == users[results.index(None)].account_id


def test_an_answer_and_a_new_message_at_once_leave_no_message_answered_unseen_by_the_lock(desk: Desk) -> None:
    initiative = desk.submitted()
    number, session = initiative.id, desk.factory.session
    organiser, sanne = desk.user(desk.initiator(initiative)), desk.user(desk.sanne)
    service.write_to_desk(session, number, "Eerste vraag", user=organiser, now=desk.factory.now)
    session.commit()

    def answer(own: Session) -> None:
        service.write_to_organisers(own, number, "Antwoord", user=sanne, now=desk.factory.now)

    def ask(own: Session) -> None:
        service.write_to_desk(own, number, "Tweede vraag", user=organiser, now=desk.factory.now)

    at_once([committed(desk.app, answer), committed(desk.app, ask)])

    session.rollback()
    rows = session.scalars(select(Message).where(Message.initiative_id == number).order_by(Message.id)).all()
    texts = [row.text for row in rows]
    # Only what was there before the answer is dealt with by it.
    for row in rows:
        if row.side == "organiser":
            assert (row.handled_at is not None) == (texts.index(row.text) < texts.index("Antwoord"))
