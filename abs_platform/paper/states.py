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
    CLOSED = "closed", _l("niet meer nodig")
    LATER = "later", _l("nog niet bekeken")

    @property
    def sentence(self) -> str:
        """What an organiser reads beside the code."""
        return str(_SAID[self])


_SAID = {
    EntryOutcome.GIVEN: _l("Gegeven."),
    EntryOutcome.WAITING: _l("Genoteerd. De wijkregisseur kijkt er eerst naar."),
    EntryOutcome.BEFORE: _l("Deze had je al ingevoerd."),
    EntryOutcome.MISTYPED: _l("Typfout."),
    EntryOutcome.NOT_USABLE: _l("Deze code kan nu niet worden gebruikt."),
    EntryOutcome.CLOSED: _l("Niet meer nodig: er wordt niets meer opgehaald. De voucher blijft van het huishouden."),
    EntryOutcome.LATER: _l("Nog niet bekeken."),
}
