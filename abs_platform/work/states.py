# SPDX-License-Identifier: EUPL-1.2
"""The life of an order for long work, and its kinds."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class WorkState(LabelledEnum):
    """Where an order stands. One that was running when its process died is waiting again, a few times."""

    WAITING = "waiting", _l("wacht")
    RUNNING = "running", _l("bezig")
    DONE = "done", _l("klaar")
    FAILED = "failed", _l("mislukt")
    CANCELLED = "cancelled", _l("ingetrokken")


TRANSITIONS: dict[WorkState, frozenset[WorkState]] = {
    WorkState.WAITING: frozenset({WorkState.RUNNING, WorkState.CANCELLED}),
    WorkState.RUNNING: frozenset({WorkState.WAITING, WorkState.DONE, WorkState.FAILED}),
    WorkState.DONE: frozenset(),
    WorkState.FAILED: frozenset(),
    WorkState.CANCELLED: frozenset(),
}


LIVING = (WorkState.WAITING, WorkState.RUNNING)


class WorkKind(LabelledEnum):
    """What can be ordered."""

    CHECK_ADDRESSES = "check_addresses", _l("adressen nakijken")
    IMPORT_ADDRESSES = "import_addresses", _l("adressen overnemen")
    ISSUE_ROUND = "issue_round", _l("vouchers uitgeven")
    MAKE_LETTERS = "make_letters", _l("brieven maken")
    RUN_JOB = "run_job", _l("taak uitvoeren")
