# SPDX-License-Identifier: EUPL-1.2
"""The life of something on the agenda, and how much may stand in it."""

from __future__ import annotations

import datetime as dt

from flask_babel import lazy_gettext as _l

from abs_platform.initiatives.states import InitiativeState
from abs_platform.lives import LabelledEnum


class ItemState(LabelledEnum):
    """Where it is. What is cancelled stays on the agenda and says so; what is withdrawn is gone."""

    DRAFT = "draft", _l("concept")
    PUBLISHED = "published", _l("gepubliceerd")
    CANCELLED = "cancelled", _l("gaat niet door")
    WITHDRAWN = "withdrawn", _l("ingetrokken")


PUBLIC_STATES = (ItemState.PUBLISHED, ItemState.CANCELLED)

TRANSITIONS: dict[ItemState, frozenset[ItemState]] = {
    ItemState.DRAFT: frozenset({ItemState.PUBLISHED, ItemState.WITHDRAWN}),
    ItemState.PUBLISHED: frozenset({ItemState.DRAFT, ItemState.CANCELLED, ItemState.WITHDRAWN}),
    ItemState.CANCELLED: frozenset({ItemState.WITHDRAWN}),
    ItemState.WITHDRAWN: frozenset(),
}

# An activity of an initiative is on the agenda while the initiative goes on, and after it succeeded.
SHOWN_WITH = frozenset(
    {InitiativeState.PUBLISHED, InitiativeState.FUNDED, InitiativeState.IN_PROGRESS, InitiativeState.REALISED}
)

MAX_TITLE = 120
MAX_DESCRIPTION = 5_000
MAX_PLACE = 200
MAX_REASON = 500
# How much an initiative has on the agenda at once: one that plans more keeps the others out of sight.
MOST_COMING = 30
LATEST_START = dt.timedelta(days=2 * 365)
LONGEST = dt.timedelta(days=92)

SENTENCES = {
    "agenda.begun": _l("Een activiteit is begonnen als concept."),
    "agenda.changed": _l("Een activiteit is gewijzigd."),
    "agenda.scheduled": _l("Een activiteit is ingepland voor de agenda."),
    "agenda.published": _l("Een activiteit staat op de agenda."),
    "agenda.taken_back": _l("Een ingeplande activiteit is weer een concept."),
    "agenda.cancelled": _l("Een activiteit is afgezegd."),
    "agenda.withdrawn": _l("Een activiteit is van de agenda gehaald."),
}
