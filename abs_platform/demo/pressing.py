# SPDX-License-Identifier: EUPL-1.2
"""The letters of the demo that are really made: the few new ones for letters that got lost."""

from __future__ import annotations

import datetime as dt

from abs_platform.database import transaction
from abs_platform.demo.posting import Posting
from abs_platform.demo.rounds import JOB
from abs_platform.letters.press import make_files
from abs_platform.work import service as work


def make_letters(posting: Posting, now: dt.datetime) -> None:
    """Do the work that was ordered when they were printed. The press opens transactions of its own."""
    if posting.run_id is None:
        return
    with transaction() as session:
        order = work.begin_next(session, now=now)
        if order is None:
            return
        order_id, attempt = order.id, order.attempts
    report = make_files(posting.run_id, None, keys=posting.line.keys, actor=JOB)
    count = report.letter_count
    result = {
        "sentence": f"{count} brieven zijn klaar.",
        "link": f"/beheer/rondes/{posting.rounds.round_id('open')}/brieven",
        "letters": count,
    }
    with transaction() as session:
        work.progress(session, order_id, attempt=attempt, done=count, total=count)
        work.finish(session, order_id, result, attempt=attempt, actor=JOB, now=now)
