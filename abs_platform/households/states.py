# SPDX-License-Identifier: EUPL-1.2
"""The two shapes of a BAG file, why a line of it gives no household, and what happens to an address in words."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class Variant(LabelledEnum):
    """How much the file tells: only the full one knows what an object is for, and whether it is in use."""

    FULL = "full", _l("uitgebreid")
    SHORT = "short", _l("kort")


class SkipReason(LabelledEnum):
    """Why a line that can be read gives no household."""

    OTHER_MUNICIPALITY = "other_municipality", _l("andere gemeente")
    SECONDARY_ADDRESS = "secondary_address", _l("nevenadres")
    NOT_RESIDENTIAL = "not_residential", _l("geen woonfunctie")
    NOT_IN_USE = "not_in_use", _l("niet in gebruik")


SENTENCES: dict[str, LazyString] = {
    "household.added": _l("Een adres is met de hand toegevoegd."),
    "household.brought_back": _l("Een adres is teruggehaald."),
    "household.ended": _l("Een adres is met de hand beëindigd."),
    "household.split": _l("Een adres is gesplitst."),
    "address.mail_returned": _l("De post bracht een brief terug."),
    "address.mail_cleared": _l("De post komt weer aan."),
}
