# SPDX-License-Identifier: EUPL-1.2
"""What the forms of news may send, and the moment at which something becomes public."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from abs_platform.clock import parse_local
from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Text
from abs_platform.news.states import LATEST_SCHEDULE, MAX_BODY, MAX_REASON, MAX_SUMMARY, MAX_TITLE


class PostForm(Form):
    """A post: a title, a sentence or two for lists, and the text."""

    title = Text(most=MAX_TITLE, sentence=_l("Geef het bericht een titel."))
    summary = Text(most=MAX_SUMMARY, sentence=_l("Vat het bericht samen in een of twee zinnen."))
    body = Text(most=MAX_BODY, sentence=_l("Schrijf het bericht."))


class ReasonForm(Form):
    """Why something goes."""

    reason = Text(most=MAX_REASON, sentence=_l("Geef een reden."))


def read_moment(text: str, now: dt.datetime) -> dt.datetime:
    """When something becomes public, as a browser sends it: a moment to come. Raises: InvalidInput."""
    sentence = ""
    try:
        moment = parse_local(text)
    except (ValueError, OverflowError):
        moment, sentence = now, _("Vul een datum en een tijd in.")
    if not sentence and moment <= now:
        sentence = _("Dit moment is al voorbij. Kies een moment dat nog komt, of zet het er nu op.")
    if not sentence and moment > now + LATEST_SCHEDULE:
        sentence = _("Kies een moment binnen een jaar.")
    if sentence:
        raise InvalidInput(sentence, fields={"publish_at": sentence})
    return moment
