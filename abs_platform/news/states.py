# SPDX-License-Identifier: EUPL-1.2
"""The life of a news post, and how much may stand in it."""

from __future__ import annotations

import datetime as dt

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

MAX_TITLE = 120
MAX_SUMMARY = 300
MAX_BODY = 20_000
MAX_REASON = 500
DAY = dt.timedelta(days=1)
UPLOADS_PER_DAY = 100

SENTENCES = {
    "news.begun": _l("Een nieuwsbericht is begonnen."),
    "news.changed": _l("Een nieuwsbericht is gewijzigd."),
    "news.scheduled": _l("Een nieuwsbericht is ingepland."),
    "news.published": _l("Een nieuwsbericht is gepubliceerd."),
    "news.taken_back": _l("Een ingepland nieuwsbericht is weer een concept."),
    "news.withdrawn": _l("Een nieuwsbericht is ingetrokken."),
    "news.picture_set": _l("Een nieuwsbericht kreeg een foto."),
    "news.picture_removed": _l("De foto van een nieuwsbericht is weggehaald."),
    "site_picture.added": _l("Een foto van de gemeente is toegevoegd."),
    "site_picture.described": _l("Een foto van de gemeente is beschreven."),
    "site_picture.removed": _l("Een foto van de gemeente is weggehaald."),
}
