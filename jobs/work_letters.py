# SPDX-License-Identifier: EUPL-1.2
"""Long work: make the files of a run of letters, sealed into the file store; run again it makes what is missing."""

from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext

from abs_platform.actors import Actor
from abs_platform.database import transaction
from abs_platform.errors import NotFound
from abs_platform.letters.press import make_files
from abs_platform.letters.queries import run_row
from abs_platform.work.handling import Progress
from abs_platform.work.queries import WorkOrderView


def make_letters(order: WorkOrderView, progress: Progress) -> dict[str, Any]:
    """In the name of who asked. ``params``: run_id."""
    run_id = int(order.params["run_id"])
    with transaction() as session:
        run = run_row(session, run_id)
    if run is None:
        raise NotFound(_("Deze brieven bestaan niet."))
    progress.total(run.letter_count)
    done = 0

    def add(count: int) -> None:
        nonlocal done
        done += count
        progress(done)

    report = make_files(
        run_id,
        None,
        keys=current_app.extensions["code_keys"],
        on_progress=add,
        actor=Actor("staff", str(order.account_id)),
    )
    progress(done)
    sentence = ngettext("%(num)s brief is klaar.", "%(num)s brieven zijn klaar.", report.letter_count)
    if report.replaced:
        sentence += " " + _("Deze tekens kent het lettertype niet: %(signs)s", signs=" ".join(report.replaced))
    return {"sentence": sentence, "link": f"/beheer/rondes/{run.round_id}/brieven", "letters": report.letter_count}
