# SPDX-License-Identifier: EUPL-1.2
"""The pages whose text the coordinator edits."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class SitePage(LabelledEnum):
    """A page of words; the value is its address."""

    HOW_IT_WORKS = "hoe-werkt-het", _l("Hoe werkt het")
    RULES = "spelregels", _l("Spelregels")
    QUESTIONS = "veelgestelde-vragen", _l("Veelgestelde vragen")
    ABOUT = "over", _l("Over ons")
    CONTACT = "contact", _l("Contact")
    PRIVACY = "privacy", _l("Privacy")
    COOKIES = "cookies", _l("Cookies")
    ACCESSIBILITY = "toegankelijkheid", _l("Toegankelijkheid")
