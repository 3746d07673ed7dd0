# SPDX-License-Identifier: EUPL-1.2
"""Long work: look at address files, and apply what was looked at; run again each gives the same, and nothing twice."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.database import transaction
from abs_platform.households import applying
from abs_platform.households.applying import Municipality, Run
from abs_platform.households.sent_files import Files, fetch
from abs_platform.rule_settings.service import current_rules
from abs_platform.work.handling import Progress
from abs_platform.work.queries import WorkOrderView


def check_addresses(order: WorkOrderView, progress: Progress) -> dict[str, Any]:
    """A dry run, rolled back. ``params``: names and SHA-256 of both files, edition, lines."""
    with TemporaryDirectory() as folder:
        files = fetch(current_app.extensions["file_store"], order.params, Path(folder))
        progress.total(order.params["lines"])
        with transaction() as session:
            result = applying.check(session, order.params, _run(order, files, progress))
            session.rollback()
    sentence = _("De bestanden zijn nagekeken. Er is nog niets veranderd.")
    return result | {"sentence": sentence, "link": f"/beheer/adressen/inlezen/{order.id}"}


def import_addresses(order: WorkOrderView, progress: Progress) -> dict[str, Any]:
    """One transaction: all of it or nothing. ``params``: check_id, skip_rejected, allow_gone, reason."""
    check_id = int(order.params["check_id"])
    with transaction() as session:
        check, is_done = applying.find_check(session, check_id), applying.was_applied(session, check_id)
    done = {"sentence": _("De adressen zijn overgenomen."), "link": "/beheer/adressen"}
    if is_done:  # the process died after the import was committed
        return done
    with TemporaryDirectory() as folder:
        files = fetch(current_app.extensions["file_store"], check.params, Path(folder))
        progress.total(check.params["lines"])
        with transaction() as session:
            report = applying.apply(session, check, order.id, order.params, _run(order, files, progress))
    counts = [
        ngettext("%(num)s nieuw", "%(num)s nieuw", report.new - report.back),
        ngettext("%(num)s terug", "%(num)s terug", report.back),
        ngettext("%(num)s veranderd", "%(num)s veranderd", report.changed),
        ngettext("%(num)s verdwenen", "%(num)s verdwenen", report.gone),
    ]
    return done | {"sentence": f"{done['sentence']} {', '.join(counts)}."}


def _run(order: WorkOrderView, files: Files, progress: Progress) -> Run:
    town, done = current_app.extensions["settings"].municipality, 0

    def add(count: int) -> None:
        nonlocal done
        done += count
        progress(done)

    return Run(
        files=files,
        town=Municipality(name=town.name, code=town.code, max_gone_percent=current_rules().max_gone_percent),
        on_progress=add,
        actor=Actor("staff", str(order.account_id)),
        now=clock.now(),
    )
