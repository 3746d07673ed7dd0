# SPDX-License-Identifier: EUPL-1.2
"""The life of a round."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class RoundState(LabelledEnum):
    """Open is not a state: a round is open when it is issued and between its opening and closing."""

    DRAFT = "draft", _l("concept")
    PLANNED = "planned", _l("gepland")
    ISSUED = "issued", _l("uitgegeven")
    CLOSED = "closed", _l("gesloten")


TRANSITIONS: dict[RoundState, frozenset[RoundState]] = {
    RoundState.DRAFT: frozenset({RoundState.PLANNED}),
    RoundState.PLANNED: frozenset({RoundState.ISSUED}),
    RoundState.ISSUED: frozenset({RoundState.CLOSED}),
    RoundState.CLOSED: frozenset(),
}
