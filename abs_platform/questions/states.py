# SPDX-License-Identifier: EUPL-1.2
"""Who speaks under an initiative, and how long and how often."""

import datetime as dt

from flask_babel import lazy_gettext as _l

from abs_platform.initiatives.states import InitiativeState
from abs_platform.lives import LabelledEnum


class Voice(LabelledEnum):
    """In whose name something is said. The official voice is never taken for a neighbour's."""

    RESIDENT = "resident", _l("Bewoner")
    ORGANISER = "organiser", _l("Organisator")
    OFFICIAL = "official", _l("Wijkregisseur")


MAX_QUESTION = 500
MAX_ANSWER = 2_000
MAX_REASON = 500
MAX_NAME = 80
DAY = dt.timedelta(days=1)
QUESTIONS_PER_DAY = 10
QUESTIONS_PER_INITIATIVE = 3
ANSWERS_PER_DAY = 60
REPORTS_PER_DAY = 10
SHOWN_ON_PAGE = 4
PAGE_SIZE = 20

ASKING_STATES = frozenset({InitiativeState.PUBLISHED, InitiativeState.FUNDED, InitiativeState.IN_PROGRESS})
