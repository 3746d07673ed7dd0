# SPDX-License-Identifier: EUPL-1.2
"""Do the long work that was asked for on pages, one order after the other, and keep its page up to date.

A handler runs outside any transaction and opens its own. It can be run again: what was done stays done. An order that
was running when its process died waits again (work.service). Whoever was overtaken by another process stops.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import structlog
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError
from abs_platform.work import service
from abs_platform.work.handling import Handler, Overtaken, Progress
from abs_platform.work.queries import WorkOrderView, view_of
from abs_platform.work.states import WorkKind
from jobs.holding import LockLost, check_hold
from jobs.runner import JobReport
from jobs.work_addresses import check_addresses, import_addresses
from jobs.work_issue import issue_round
from jobs.work_letters import make_letters

ACTOR = Actor("job", "do_work")
log = structlog.get_logger()

__all__ = ["ACTOR", "HANDLERS", "Handler", "Overtaken", "Progress", "run"]

# Who does each kind of work. RUN_JOB stands with the timetable (jobs/schedule.py).
HANDLERS: dict[WorkKind, Handler] = {
    WorkKind.CHECK_ADDRESSES: check_addresses,
    WorkKind.IMPORT_ADDRESSES: import_addresses,
    WorkKind.ISSUE_ROUND: issue_round,
    WorkKind.MAKE_LETTERS: make_letters,
}


def run(now: dt.datetime) -> JobReport:
    """Until nothing waits. Only one process runs this at a time, so what is running now lost its process."""
    report = JobReport()
    with transaction() as session:
        service.wait_again(session, actor=ACTOR, now=now)
    while (begun := _begin_next()) is not None:
        report.changed += 1
        if error := _work(begun):
            report.errors.append(error)
    return report


def _begin_next() -> WorkOrderView | None:
    check_hold()
    with transaction() as session:
        taken = service.begin_next(session, now=clock.now())
        return None if taken is None else view_of(taken)


def _work(begun: WorkOrderView) -> str:
    """Do one order and write down how it ended; the error that belongs in the log of runs, or ""."""
    sentence = error = ""
    result: dict[str, Any] = {}
    try:
        progress = Progress(begun.id, begun.attempts)
        result = HANDLERS[begun.kind](begun, progress)
        progress.write()
    except (Overtaken, LockLost):
        raise
    except AbsError as refused:
        sentence = refused.message
    except Exception as failure:
        reference = uuid.uuid4().hex[:12]
        log.exception("work failed", order=begun.id, kind=begun.kind.value, reference=reference)
        sentence = _(
            "Er ging bij ons iets mis. Probeer het nog een keer. Lukt het dan niet, geef de beheerder van het systeem "
            "dan deze code: %(reference)s.",
            reference=reference,
        )
        error = f"order {begun.id}: {type(failure).__name__}: {failure} ({reference})"
    finally:
        db.session.rollback()
    check_hold(at_once=True)
    by, now, attempt = ACTOR, clock.now(), begun.attempts
    with transaction() as session:
        if sentence:
            service.fail(session, begun.id, sentence, attempt=attempt, actor=by, now=now)
        else:
            service.finish(session, begun.id, result, attempt=attempt, actor=by, now=now)
    return error
