# SPDX-License-Identifier: EUPL-1.2
"""The levels of areas, and what a district is called."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class AreaLevel(LabelledEnum):
    """How large an area is; an initiative's scope is the level of its area."""

    MUNICIPALITY = "municipality", _l("hele gemeente")
    DISTRICT = "district", _l("wijk of dorp")
    NEIGHBOURHOOD = "neighbourhood", _l("buurt")


class DistrictKind(LabelledEnum):
    """What people call a district."""

    WIJK = "wijk", _l("wijk")
    DORP = "dorp", _l("dorp")
