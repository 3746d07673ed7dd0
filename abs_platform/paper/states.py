# SPDX-License-Identifier: EUPL-1.2
"""The life of a batch of codes, and what became of each code."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class BatchState(LabelledEnum):
    """A batch books its codes at once; one that grows too large in an hour waits for the wijkregisseur."""

    BOOKED = "booked", _l("verwerkt")
    WAITING = "waiting", _l("wacht op de wijkregisseur")
    RELEASED = "released", _l("vrijgegeven")
    REFUSED = "refused", _l("afgekeurd")


TRANSITIONS: dict[BatchState, frozenset[BatchState]] = {
    BatchState.BOOKED: frozenset({BatchState.WAITING}),
    BatchState.WAITING: frozenset({BatchState.RELEASED, BatchState.REFUSED}),
    BatchState.RELEASED: frozenset(),
    BatchState.REFUSED: frozenset(),
}


class EntryOutcome(LabelledEnum):
    """The answer for one code, to an organiser or a desk: they hold the paper, so they may know a little more."""

    GIVEN = "given", _l("gegeven")
    WAITING = "waiting", _l("wacht op de wijkregisseur")
    BEFORE = "before", _l("had je al ingevoerd")
    MISTYPED = "mistyped", _l("typfout")
    NOT_USABLE = "not_usable", _l("kan niet worden gebruikt")
