# SPDX-License-Identifier: EUPL-1.2
"""The life of something on the agenda."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

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
