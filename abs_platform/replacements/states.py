# SPDX-License-Identifier: EUPL-1.2
"""The life of a request for a new letter, and why a letter came back."""

from flask_babel import lazy_gettext as _l

from abs_platform.donations.states import Channel
from abs_platform.lives import LabelledEnum

__all__ = ["TRANSITIONS", "Channel", "RequestState", "ReturnReason"]


class RequestState(LabelledEnum):
    """Where a request stands. Its outcome is never shown to who asked: whoever asks may be anyone."""

    WAITING = "waiting", _l("wacht op de volgende druk")
    PRINTED = "printed", _l("nieuwe brief gemaakt")
    DROPPED = "dropped", _l("geen nieuwe brief")


TRANSITIONS: dict[RequestState, frozenset[RequestState]] = {
    RequestState.WAITING: frozenset({RequestState.PRINTED, RequestState.DROPPED}),
    RequestState.PRINTED: frozenset(),
    RequestState.DROPPED: frozenset(),
}


class ReturnReason(LabelledEnum):
    """What the post says about a letter that came back."""

    UNKNOWN_ADDRESS = "unknown_address", _l("adres onbekend")
    NO_LETTERBOX = "no_letterbox", _l("geen brievenbus")
    EMPTY = "empty", _l("woning staat leeg")
    REFUSED = "refused", _l("geweigerd")
    OTHER = "other", _l("anders")
