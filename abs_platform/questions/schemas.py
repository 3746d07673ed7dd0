# SPDX-License-Identifier: EUPL-1.2
"""What the forms of questions may send."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from abs_platform.form_input import Form, Text
from abs_platform.questions.states import MAX_ANSWER, MAX_NAME, MAX_QUESTION, MAX_REASON


class QuestionForm(Form):
    """A question."""

    body = Text(most=MAX_QUESTION, sentence=_l("Schrijf je vraag op."))


class NamedQuestionForm(QuestionForm):
    """Who has no name yet gives one: it stands beside the question."""

    name = Text(most=MAX_NAME, sentence=_l("Vul je naam in. Die staat bij je vraag."))


class AnswerForm(Form):
    """An answer."""

    body = Text(most=MAX_ANSWER, sentence=_l("Schrijf je antwoord op."))


class ReasonForm(Form):
    """Why something does not belong there."""

    reason = Text(most=MAX_REASON, sentence=_l("Schrijf op waarom."))
