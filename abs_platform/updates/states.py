# SPDX-License-Identifier: EUPL-1.2
"""The life of an update, and how long and how often one may be written."""

import datetime as dt

from flask_babel import lazy_gettext as _l

from abs_platform.initiatives.states import InitiativeState
from abs_platform.lives import LabelledEnum


class UpdateState(LabelledEnum):
    """Where an update is. Organisers remove, the desk hides; both say why."""

    DRAFT = "draft", _l("concept")
    POSTED = "posted", _l("geplaatst")
    REMOVED = "removed", _l("verwijderd")
    HIDDEN = "hidden", _l("verborgen door de gemeente")


TRANSITIONS: dict[UpdateState, frozenset[UpdateState]] = {
    UpdateState.DRAFT: frozenset({UpdateState.POSTED, UpdateState.REMOVED}),
    UpdateState.POSTED: frozenset({UpdateState.REMOVED, UpdateState.HIDDEN}),
    UpdateState.REMOVED: frozenset(),
    UpdateState.HIDDEN: frozenset(),
}

MAX_TITLE = 120
MAX_BODY = 5_000
MAX_THANKS = 2_000
MAX_REASON = 500
MAX_PICTURES = 6
EDITABLE_FOR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
POSTS_PER_DAY = 3
DRAFTS_PER_DAY = 20
UPLOADS_PER_DAY = 100

# When there is somebody to tell something.
TELLING_STATES = frozenset(
    {InitiativeState.PUBLISHED, InitiativeState.FUNDED, InitiativeState.IN_PROGRESS, InitiativeState.REALISED}
)
THANKING_STATES = TELLING_STATES - {InitiativeState.PUBLISHED}
