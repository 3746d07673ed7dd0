# SPDX-License-Identifier: EUPL-1.2
"""The life of a news post."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class PostState(LabelledEnum):
    """Where a post is. Published with a moment to come means: scheduled."""

    DRAFT = "draft", _l("concept")
    PUBLISHED = "published", _l("gepubliceerd")
    WITHDRAWN = "withdrawn", _l("ingetrokken")


TRANSITIONS: dict[PostState, frozenset[PostState]] = {
    PostState.DRAFT: frozenset({PostState.PUBLISHED, PostState.WITHDRAWN}),
    PostState.PUBLISHED: frozenset({PostState.DRAFT, PostState.WITHDRAWN}),
    PostState.WITHDRAWN: frozenset(),
}
