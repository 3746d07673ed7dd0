# SPDX-License-Identifier: EUPL-1.2
"""What runs when: the timetable, its last runs, whether a job process lives, and running one now."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import NotFound
from abs_platform.job_runs import JobRun, ScheduledJob
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import Role
from abs_platform.work import queries, service
from abs_platform.work.states import WorkKind
from abs_platform.work.words import NOT_BY_HAND, what_went_wrong, words_of

bp = Blueprint("jobs_desk", __name__, url_prefix="/beheer/taken")

ALARM_AFTER = dt.timedelta(minutes=2)
RUNS_A_PAGE = 50
NEWEST_WORK = 10


@bp.get("")
@staff_required(Role.COORDINATOR)
def index() -> str:
    """The timetable with the last run of each job, and the newest long work."""
    session, now = db.session(), clock.now()
    rows = queries.jobs(session)
    seen_at = max((row.seen_at for row in rows if row.seen_at), default=None)
    return render_template(
        "work/jobs.html",
        rows=sorted(rows, key=lambda row: str(words_of(row.job).label)),
        seen_at=seen_at,
        is_alive=seen_at is not None and now - seen_at <= ALARM_AFTER,
        orders=queries.newest(session, NEWEST_WORK),
        not_by_hand=NOT_BY_HAND,
        words_of=words_of,
        what_went_wrong=what_went_wrong,
        how_long=how_long,
        now=now,
    )


@bp.get("/<string(maxlength=60):name>")
@staff_required(Role.COORDINATOR)
def job(name: str) -> str:
    """The runs of one job."""
    found = _find(name)
    number = request.args.get("pagina", 1, type=int)
    return render_template(
        "work/job.html",
        job=found,
        words=words_of(name),
        page=queries.runs_of(db.session(), name, min(max(number, 1), 10**6), RUNS_A_PAGE),
        may_run=name not in NOT_BY_HAND,
        what_went_wrong=what_went_wrong,
        how_long=how_long,
    )


@bp.post("/<string(maxlength=60):name>/nu")
@staff_required(Role.COORDINATOR)
def run_now(name: str) -> Response:
    """Ask for a run now; the job process does it within seconds."""
    if _find(name).job in NOT_BY_HAND:
        raise NotFound(_("Deze taak kun je niet met de hand starten."))
    user, now = signed_in_user(), clock.now()
    db.session.rollback()
    with transaction() as session:
        params = {"job": name}
        order_id = service.order(
            session, WorkKind.RUN_JOB, key=f"job:{name}", params=params, account_id=user.account_id, now=now
        ).id
    flash(_("De taak is aangevraagd."))
    return redirect(url_for("work_desk.order", order_id=order_id), HTTPStatus.SEE_OTHER)


def how_long(run: JobRun) -> str:
    """How long a run took, in words."""
    if run.ended_at is None:
        return str(_("bezig"))
    seconds = (run.ended_at - run.started_at).total_seconds()
    if seconds < 1:
        return str(_("minder dan een seconde"))
    if seconds < 100:
        return str(ngettext("%(num)s seconde", "%(num)s seconden", round(seconds)))
    return str(ngettext("%(num)s minuut", "%(num)s minuten", round(seconds / 60)))


def _find(name: str) -> ScheduledJob:
    found = queries.find_job(db.session(), name) if name.isidentifier() else None
    if found is None:
        raise NotFound(_("Deze taak bestaat niet."))
    return found
