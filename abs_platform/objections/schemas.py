# SPDX-License-Identifier: EUPL-1.2
"""Why an objection is decided as it is: one reason for both answers, read by who holds the code."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from abs_platform.form_input import Form, Text
from abs_platform.objections.service import MAX_REASON


class ReasonForm(Form):
    """The reason of a decision."""

    reason = Text(most=MAX_REASON, sentence=_l("Schrijf op waarom je zo beslist."))
