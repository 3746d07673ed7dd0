# SPDX-License-Identifier: EUPL-1.2
"""What the forms of news may send."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from abs_platform.form_input import Form, Line, Text
from abs_platform.news.states import MAX_BODY, MAX_REASON, MAX_SUMMARY, MAX_TITLE


class PostForm(Form):
    """A post: a title, a sentence or two for lists, and the text."""

    title = Line(most=MAX_TITLE, sentence=_l("Geef het bericht een titel."))
    summary = Line(most=MAX_SUMMARY, sentence=_l("Vat het bericht samen in een of twee zinnen."))
    body = Text(most=MAX_BODY, sentence=_l("Schrijf het bericht."))


class ReasonForm(Form):
    """Why something goes."""

    reason = Text(most=MAX_REASON, sentence=_l("Geef een reden."))
