# SPDX-License-Identifier: EUPL-1.2
"""Tell organisers and givers that a target is reached: apart from the gift that reached it, so that no giver waits."""

import datetime as dt

from flask import current_app

from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.updates.queries import funded_untold
from abs_platform.updates.service import tell_of_funding
from jobs.runner import JobReport

ACTOR = Actor("job", "tell_of_funding")


def run(now: dt.datetime) -> JobReport:
    """One transaction an initiative, with a note in the log that it was told. The report counts the mails."""
    secret_key = current_app.extensions["settings"].secret_key

    def tell(initiative_id: int) -> int:
        with transaction() as session:
            return tell_of_funding(session, initiative_id, secret_key=secret_key, actor=ACTOR, now=now)

    report = JobReport()
    report.each(funded_untold(db.session(), now), tell)
    return report
