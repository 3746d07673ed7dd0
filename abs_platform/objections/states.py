# SPDX-License-Identifier: EUPL-1.2
"""The life of an objection."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class ObjectionState(LabelledEnum):
    """While it is open the gift is held: it counts, and it is not paid out."""

    OPEN = "open", _l("wordt bekeken")
    UPHELD = "upheld", _l("voucher teruggegeven")
    REJECTED = "rejected", _l("gift blijft staan")


TRANSITIONS: dict[ObjectionState, frozenset[ObjectionState]] = {
    ObjectionState.OPEN: frozenset({ObjectionState.UPHELD, ObjectionState.REJECTED}),
    ObjectionState.UPHELD: frozenset(),
    ObjectionState.REJECTED: frozenset(),
}
