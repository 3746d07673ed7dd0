# SPDX-License-Identifier: EUPL-1.2
"""What a help point must look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, validates

from abs_platform.areas.helping import MAX_ADDRESS, MAX_HOURS, MAX_NAME, MAX_PHONE, HelpPointInput
from abs_platform.form_input import Form, Text, load

_PHONE = re.compile(r"[+0-9][0-9 ()-]{3,}")


class HelpPointForm(Form):
    """A help point. Letters print each of these on one line or two."""

    name = Text(most=MAX_NAME, sentence=_l("Vul in hoe het wijkcentrum heet."))
    address = Text(most=MAX_ADDRESS, sentence=_l("Vul het adres in."))
    opening_hours = Text(most=MAX_HOURS, sentence=_l("Vul in wanneer de balie open is."))
    phone = Text(most=MAX_PHONE, sentence=_l("Vul het telefoonnummer in."))

    @validates("phone")
    def _can_be_called(self, value: str, **_more: Any) -> None:
        if not _PHONE.fullmatch(value):
            raise ValidationError(str(_l("Vul een telefoonnummer in, zoals 0546 12 34 56.")))


def load_help_point(data: Mapping[str, Any]) -> HelpPointInput:
    """Read a help point; each field is one line. Raises: InvalidInput with a sentence for each field."""
    one_line = {name: " ".join(str(data.get(name, "")).split()) for name in HelpPointForm().fields}
    return HelpPointInput(**load(HelpPointForm(), one_line))
