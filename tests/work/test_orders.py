# SPDX-License-Identifier: EUPL-1.2
"""Orders for long work: one of a kind at a time, done in the job process, and a death costs an attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.errors import Conflict
from abs_platform.events import Event
from abs_platform.users import Role
from abs_platform.work import service
from abs_platform.work.handling import Overtaken, Progress
from abs_platform.work.models import WorkOrder
from abs_platform.work.queries import WorkOrderView, latest
from abs_platform.work.states import TRANSITIONS, WorkKind, WorkState
from jobs import do_work
from jobs.schedule import TIMETABLE
from tests.factories import TEST_ACTOR, Factory

Make = Callable[..., WorkOrder]


@pytest.fixture
def ordered(session: Session, factory: Factory) -> Make:
    """Asks for work."""

    def make(key: str = "a", kind: WorkKind = WorkKind.ISSUE_ROUND, **params: Any) -> WorkOrder:
        asked_by = factory.account(roles=(Role.COORDINATOR,)).id
        made = service.order(session, kind, key=key, params=params, account_id=asked_by, now=factory.now)
        session.commit()
        return made

    return make


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Callable[[do_work.Handler], None]:
    """Lets something else do the work of issuing."""
    return lambda handler: monkeypatch.setitem(do_work.HANDLERS, WorkKind.ISSUE_ROUND, handler)


def as_it_is(session: Session, order: WorkOrder) -> WorkOrder:
    session.expire_all()
    return session.get_one(WorkOrder, order.id)


def test_who_asks_for_what_lives_already_gets_that_order(session: Session, ordered: Make) -> None:
    first, again, other = ordered(), ordered(), ordered("b")

    assert again.id == first.id
    assert other.id != first.id
    asked = select(Event.details).where(Event.kind == "work.ordered")
    assert list(session.scalars(asked)) == [{"what": "issue_round"}] * 2


@pytest.mark.parametrize("source", list(WorkState))
@pytest.mark.parametrize("target", list(WorkState))
def test_an_order_makes_no_move_that_its_life_does_not_hold(
    session: Session, factory: Factory, ordered: Make, source: WorkState, target: WorkState
) -> None:
    order, now = ordered(), factory.now
    order.state, order.attempts = source.value, 1
    order.ended_at = now if source in {WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED} else None
    order.error = "Mis." if source == WorkState.FAILED else None
    session.flush()
    verbs: dict[WorkState, Callable[[], Any]] = {
        WorkState.WAITING: lambda: service.wait_again(session, actor=TEST_ACTOR, now=now),
        WorkState.RUNNING: lambda: service.begin_next(session, now=now),
        WorkState.DONE: lambda: service.finish(session, order.id, {}, attempt=1, actor=TEST_ACTOR, now=now),
        WorkState.FAILED: lambda: service.fail(session, order.id, "Mis.", attempt=1, actor=TEST_ACTOR, now=now),
        WorkState.CANCELLED: lambda: service.cancel(session, order.id, actor=TEST_ACTOR, now=now),
    }

    if target in TRANSITIONS[source]:
        verbs[target]()
        session.flush()
        assert as_it_is(session, order).state == target
    elif target in {WorkState.WAITING, WorkState.RUNNING}:  # these look for an order that fits
        assert not verbs[target]()
        assert as_it_is(session, order).state == source
    else:
        with pytest.raises(Conflict):
            verbs[target]()


def test_the_job_does_what_waits_and_writes_down_how_far_it_is(
    session: Session, factory: Factory, ordered: Make, handle: Callable[[do_work.Handler], None]
) -> None:
    order, seen = ordered(round_id=3), []

    def handler(view: WorkOrderView, progress: Progress) -> dict[str, Any]:
        progress.total(4)
        progress(2)
        progress.write()
        row = as_it_is(session, order)
        seen.append((view.params, row.state, row.done_count, row.total_count))
        return {"sentence": "Klaar is Kees."}

    handle(handler)
    report = do_work.run(factory.now)
    again = do_work.run(factory.now)

    done = as_it_is(session, order)
    assert seen == [({"round_id": 3}, "running", 2, 4)]
    assert (done.state, done.result, done.attempts) == ("done", {"sentence": "Klaar is Kees."}, 1)
    assert (report.changed, again.changed) == (1, 0)


def test_what_is_refused_is_told_and_what_breaks_gets_a_code_to_look_for(
    session: Session,
    factory: Factory,
    ordered: Make,
    handle: Callable[[do_work.Handler], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused = ordered("a", fails="no")
    broken = ordered("b", fails="yes")

    def handler(view: WorkOrderView, _progress: Progress) -> dict[str, Any]:
        if view.params["fails"] == "yes":
            raise ValueError("kapot")
        raise Conflict("De ronde is al dicht.")

    handle(handler)
    report = do_work.run(factory.now)

    assert as_it_is(session, refused).error == "De ronde is al dicht."
    error = as_it_is(session, broken).error or ""
    reference = error.rstrip(".").rpartition(" ")[2]
    assert "kapot" not in error
    assert reference in caplog.text
    assert [line for line in report.errors if reference in line and "ValueError: kapot" in line]


def test_an_order_whose_process_died_waits_again_and_has_failed_after_three_attempts(
    session: Session, factory: Factory, ordered: Make
) -> None:
    order = ordered()

    states = []
    for _death in range(service.MOST_ATTEMPTS):
        assert service.begin_next(session, now=factory.now) is not None
        service.wait_again(session, actor=TEST_ACTOR, now=factory.now)
        states.append(as_it_is(session, order).state)

    assert states == ["waiting", "waiting", "failed"]
    assert "3 keer begonnen" in (as_it_is(session, order).error or "")
    assert service.begin_next(session, now=factory.now) is None


def test_who_was_overtaken_may_not_write_anything_more(
    app: Flask, session: Session, factory: Factory, ordered: Make
) -> None:
    order = ordered()
    service.begin_next(session, now=factory.now)
    service.wait_again(session, actor=TEST_ACTOR, now=factory.now)
    service.begin_next(session, now=factory.now)
    session.commit()

    with pytest.raises(Overtaken):
        Progress(order.id, attempt=1).total(9)
    with pytest.raises(Conflict):
        service.finish(session, order.id, {}, attempt=1, actor=TEST_ACTOR, now=factory.now)
    Progress(order.id, attempt=2).total(9)

    assert as_it_is(session, order).total_count == 9


def test_a_round_is_issued_in_the_name_of_who_asked(session: Session, factory: Factory, ordered: Make) -> None:
    factory.households(3)
    order = ordered(round_id=factory.round().id)

    do_work.run(factory.now)

    done = as_it_is(session, order)
    assert done.error is None
    assert (done.result or {})["vouchers"] == 3
    assert (done.done_count, done.total_count) == (3, 3)
    issued = session.scalars(select(Event.actor).where(Event.kind == "round.vouchers_issued")).one()
    assert issued == f"staff:{order.account_id}"


def test_an_order_for_a_job_runs_it_as_the_timetable_would(own_app: Flask, own_factory: Factory) -> None:
    session = own_factory.session
    asked = {"key": "job:check_ledger", "params": {"job": "check_ledger"}, "account_id": None, "now": own_factory.now}
    order = service.order(session, WorkKind.RUN_JOB, **asked)
    session.commit()

    TIMETABLE["do_work"].job(own_factory.now)

    done = as_it_is(session, order)
    assert (done.error, done.state) == (None, "done")
    assert done.result == {"sentence": "Klaar. Er zijn 0 dingen veranderd.", "link": "/beheer/taken/check_ledger"}


def test_the_newest_order_under_a_key_is_found(session: Session, ordered: Make) -> None:
    ordered("round:1:first")
    newest = ordered("round:1:second")
    ordered("round:12")

    found = latest(session, WorkKind.ISSUE_ROUND, "round:1:")

    assert found is not None
    assert found.id == newest.id
    assert latest(session, WorkKind.MAKE_LETTERS) is None
