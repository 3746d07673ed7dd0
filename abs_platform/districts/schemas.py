# SPDX-License-Identifier: EUPL-1.2
"""What a profile and a word of welcome must look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, validates

from abs_platform.districts.service import MAX_ABOUT, MAX_INTRO, MAX_NAME, MAX_REACH, ProfileInput
from abs_platform.form_input import Form, Text, load

_PHONE = re.compile(r"[+0-9][0-9 ()-]{3,}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
ONE_LINE = ("shown_name", "email", "phone")


class ProfileForm(Form):
    """How somebody is introduced."""

    shown_name = Text(most=MAX_NAME, sentence=_l("Vul in hoe je heet."))
    email = Text(most=MAX_REACH, least=0)
    phone = Text(most=MAX_REACH, least=0)
    about = Text(most=MAX_ABOUT, least=0)

    @validates("phone")
    def _can_be_called(self, value: str, **_more: Any) -> None:
        if value and not _PHONE.fullmatch(value):
            raise ValidationError(str(_l("Vul een telefoonnummer in, zoals 0546 12 34 56.")))

    @validates("email")
    def _can_be_mailed(self, value: str, **_more: Any) -> None:
        if value and not _EMAIL.fullmatch(value):
            raise ValidationError(str(_l("Vul een e-mailadres in, zoals naam@voorbeeld.nl.")))


class IntroForm(Form):
    """A word of welcome; empty takes it away."""

    body = Text(most=MAX_INTRO, least=0)


def load_profile(data: Mapping[str, Any]) -> ProfileInput:
    """Read a profile. Raises: InvalidInput with a sentence for each field."""
    tidy = {name: " ".join(str(data.get(name, "")).split()) for name in ONE_LINE}
    loaded = load(ProfileForm(), dict(data) | tidy)
    return ProfileInput(**loaded, is_public=bool(data.get("is_public")))


def load_intro(data: Mapping[str, Any]) -> str:
    """Read a word of welcome. Raises: InvalidInput."""
    body: str = load(IntroForm(), data)["body"]
    return body
