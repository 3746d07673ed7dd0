# SPDX-License-Identifier: EUPL-1.2
"""The life of an accountability, and its limits."""

import datetime as dt

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class AccountabilityState(LabelledEnum):
    """Where it is: with the organisers, at the desk, or done."""

    DRAFT = "draft", _l("concept")
    SUBMITTED = "submitted", _l("ligt bij de wijkregisseur")
    RETURNED = "returned", _l("er mist nog iets")
    APPROVED = "approved", _l("goedgekeurd")


_S = AccountabilityState
TRANSITIONS: dict[AccountabilityState, frozenset[AccountabilityState]] = {
    _S.DRAFT: frozenset({_S.SUBMITTED}),
    _S.SUBMITTED: frozenset({_S.RETURNED, _S.APPROVED}),
    _S.RETURNED: frozenset({_S.SUBMITTED}),
    _S.APPROVED: frozenset(),
}
WRITABLE_STATES = frozenset({_S.DRAFT, _S.RETURNED})

MAX_STORY = 10_000
MAX_DESCRIPTION = 120
MAX_NO_RECEIPT = 200
MAX_REMARK = 2_000
MAX_LINES = 40
MAX_FILE_NAME = 120
MAX_CENTS = 100_000_000
UPLOADS_PER_DAY = 100
DAY = dt.timedelta(days=1)
