# SPDX-License-Identifier: EUPL-1.2
"""What one can follow."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class FollowKind(LabelledEnum):
    """What a follow is about."""

    AREA = "area", _l("buurt, wijk of gemeente")
    THEME = "theme", _l("thema")
    INITIATIVE = "initiative", _l("initiatief")
