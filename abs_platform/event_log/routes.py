# SPDX-License-Identifier: EUPL-1.2
"""The event log on a page, with filters, and as a file. Downloading it is itself in the log."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

from flask import Blueprint, render_template, request, send_file
from werkzeug.wrappers import Response

from abs_platform import clock, events
from abs_platform.database import db, transaction
from abs_platform.event_log import export, queries
from abs_platform.event_log.schemas import MAX_WORDS, read_filters
from abs_platform.event_log.sentences import reason, sentence, shown_details, subject_label, who
from abs_platform.event_log.states import SUBJECTS
from abs_platform.events import Event
from abs_platform.security import current_actor, staff_required
from abs_platform.users import Role

bp = Blueprint("event_log", __name__, url_prefix="/beheer/logboek")

PAGE_SIZE = 50


@bp.get("")
@staff_required(Role.COORDINATOR)
def index() -> str:
    """The newest events that are looked for; older ones on the next page."""
    filters, kept = read_filters(request.args)
    session = db.session()
    part = queries.part(session, filters, PAGE_SIZE)
    return render_template(
        "event_log/index.html",
        part=part,
        filters=filters,
        kept=kept,
        subjects=sorted(((name, str(label).capitalize()) for name, label in SUBJECTS.items()), key=lambda one: one[1]),
        people=sorted(queries.staff_in_log(session).items(), key=lambda one: one[1].lower()),
        max_words=MAX_WORDS,
        who=who,
        sentence=sentence,
        reason=reason,
        shown_details=shown_details,
        subject_label=subject_label,
    )


@bp.post("/bestand")
@staff_required(Role.COORDINATOR)
def download() -> Response:
    """All that is looked for as a file. It is whole before it leaves: a slow reader holds no connection."""
    filters, kept = read_filters(request.form)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    with transaction() as session:
        now = clock.now()
        rows = _write(file, queries.all_of(session, filters), queries.staff_in_log(session))
        events.record(session, "event_log.exported", None, actor=current_actor(), now=now, filters=kept, rows=rows)
    file.seek(0)
    name = f"logboek-{clock.local_date(now).isoformat()}.csv"
    answer = send_file(file, mimetype="text/csv", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    answer.call_on_close(file.close)
    return answer


def _write(file: IO[bytes], found: Iterator[Event], names: dict[int, str]) -> int:
    """Write the file; how many lines it has."""
    rows = 0

    def counted() -> Iterator[Event]:
        nonlocal rows
        for event in found:
            rows += 1
            yield event

    for piece in export.as_csv(counted(), names):
        file.write(piece.encode())
    return rows
