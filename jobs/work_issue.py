# SPDX-License-Identifier: EUPL-1.2
"""Long work: issue the vouchers of a round that somebody released; run again it adds only what is not there yet."""

from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.database import transaction
from abs_platform.rounds.dry_run import dry_run
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.work.handling import Progress
from abs_platform.work.queries import WorkOrderView


def issue_round(order: WorkOrderView, progress: Progress) -> dict[str, Any]:
    """One transaction: all vouchers or none, in the name of who asked. ``params``: round_id."""
    round_id = int(order.params["round_id"])
    with transaction() as session:
        total = dry_run(session, round_id, 0).total.would_get
    progress.total(total)
    done = 0

    def add(count: int) -> None:
        nonlocal done
        done += count
        progress(done)

    with transaction() as session:
        report = issue_vouchers(
            session,
            round_id,
            keys=current_app.extensions["code_keys"],
            actor=Actor("staff", str(order.account_id)),
            now=clock.now(),
            on_progress=add,
        )
    sentence = ngettext("%(num)s voucher is uitgegeven.", "%(num)s vouchers zijn uitgegeven.", report.voucher_count)
    if not report.voucher_count:
        sentence = _("Er was geen adres dat nog een voucher moest krijgen.")
    return {
        "sentence": sentence,
        "link": f"/beheer/rondes/{round_id}",
        "vouchers": report.voucher_count,
        "batch": report.batch_id,
    }
