# SPDX-License-Identifier: EUPL-1.2
"""The life of an offer of help."""

import datetime as dt

from flask_babel import lazy_gettext as _l

from abs_platform.initiatives.states import InitiativeState
from abs_platform.lives import LabelledEnum


class OfferState(LabelledEnum):
    """Where an offer is. Thanked is a kind no: the organisers have enough help."""

    OFFERED = "offered", _l("wacht op antwoord")
    ACCEPTED = "accepted", _l("aangenomen")
    THANKED = "thanked", _l("bedankt, niet nodig")
    WITHDRAWN = "withdrawn", _l("ingetrokken")


_S = OfferState
TRANSITIONS: dict[OfferState, frozenset[OfferState]] = {
    _S.OFFERED: frozenset({_S.ACCEPTED, _S.THANKED, _S.WITHDRAWN}),
    _S.ACCEPTED: frozenset({_S.WITHDRAWN}),
    _S.THANKED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}
# What counts on the page, and whose contact details the organisers see.
LIVING_STATES = (_S.OFFERED, _S.ACCEPTED)

MAX_NOTE = 280
MAX_NAME = 80
OFFERS_PER_DAY = 10
DAY = dt.timedelta(days=1)

HELPING_STATES = frozenset({InitiativeState.PUBLISHED, InitiativeState.FUNDED, InitiativeState.IN_PROGRESS})
