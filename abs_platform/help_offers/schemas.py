# SPDX-License-Identifier: EUPL-1.2
"""What the form of an offer may send."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from abs_platform.form_input import Form, Text
from abs_platform.help_offers.states import MAX_NAME, MAX_NOTE


class OfferForm(Form):
    """A line to the organisers, which may be empty."""

    note = Text(most=MAX_NOTE, least=0)


class NamedOfferForm(OfferForm):
    """Who has no name yet gives one: organisers must know whom they talk with."""

    name = Text(most=MAX_NAME, sentence=_l("Vul je naam in. De organisatoren zien hem."))
