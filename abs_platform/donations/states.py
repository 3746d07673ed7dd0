# SPDX-License-Identifier: EUPL-1.2
"""The life of a donation, its kinds and its channels."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class DonationState(LabelledEnum):
    """A voucher donation starts confirmed; money starts pending."""

    PENDING = "pending", _l("wacht op betaling")
    CONFIRMED = "confirmed", _l("gegeven")
    RETURNED = "returned", _l("teruggegeven")
    FAILED = "failed", _l("mislukt")


TRANSITIONS: dict[DonationState, frozenset[DonationState]] = {
    DonationState.PENDING: frozenset({DonationState.CONFIRMED, DonationState.FAILED}),
    DonationState.CONFIRMED: frozenset({DonationState.RETURNED}),
    DonationState.RETURNED: frozenset(),
    DonationState.FAILED: frozenset(),
}


class DonationKind(LabelledEnum):
    """What was given."""

    VOUCHER = "voucher", _l("voucher")
    MONEY = "money", _l("geld")


class Channel(LabelledEnum):
    """How a gift came in; paper counts like any other (rule 12)."""

    ONLINE = "online", _l("online")
    ORGANISER = "organiser", _l("via de initiatiefnemer")
    DESK = "desk", _l("aan de balie")
