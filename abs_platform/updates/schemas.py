# SPDX-License-Identifier: EUPL-1.2
"""What the forms of updates and thanks may send."""

from __future__ import annotations

from abs_platform.form_input import Form, Line, Text
from abs_platform.updates.states import MAX_BODY, MAX_REASON, MAX_THANKS, MAX_TITLE


class UpdateForm(Form):
    """A title and a text."""

    title = Line(most=MAX_TITLE)
    body = Text(most=MAX_BODY)


class ThanksForm(Form):
    """A text to all givers."""

    body = Text(most=MAX_THANKS)


class ReasonForm(Form):
    """Why something goes."""

    reason = Text(most=MAX_REASON)
