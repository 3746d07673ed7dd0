# SPDX-License-Identifier: EUPL-1.2
"""Long work: run a job of the timetable now, as the timetable would; while it runs elsewhere nothing is done twice."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from abs_platform.errors import NotFound
from abs_platform.work.handling import Handler, Progress
from abs_platform.work.queries import WorkOrderView
from jobs.runner import Job, run_job


def job_handler(timetable: Mapping[str, Job]) -> Handler:
    """The handler for the jobs of a timetable. ``params``: job, the name of one."""

    def run_now(order: WorkOrderView, _progress: Progress) -> dict[str, Any]:
        name = str(order.params["job"])
        if name not in timetable:
            raise NotFound(_("Deze taak bestaat niet (meer)."))
        report = run_job(name, timetable[name])
        if report is None:
            sentence = _("Deze taak was al bezig. Ze is niet nog een keer begonnen.")
        elif report.errors:
            failed = len(report.errors)
            sentence = ngettext(
                "Klaar, maar %(num)s ding lukte niet.", "Klaar, maar %(num)s dingen lukten niet.", failed
            )
        else:
            sentence = ngettext(
                "Klaar. Er is %(num)s ding veranderd.", "Klaar. Er zijn %(num)s dingen veranderd.", report.changed
            )
        return {"sentence": sentence, "link": f"/beheer/taken/{name}"}

    return run_now
