# SPDX-License-Identifier: EUPL-1.2
"""The life of a payment, and why money goes back."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class PaymentState(LabelledEnum):
    """Where the money of a gift is."""

    CREATED = "created", _l("wacht op betaling")
    PAID = "paid", _l("betaald")
    FAILED = "failed", _l("niet gelukt")
    EXPIRED = "expired", _l("verlopen")
    REFUND_PENDING = "refund_pending", _l("gaat terug")
    REFUNDED = "refunded", _l("teruggegeven")
    REFUND_FAILED = "refund_failed", _l("teruggeven mislukt")
    DISPUTED = "disputed", _l("betwist")
    CHARGED_BACK = "charged_back", _l("door de bank teruggehaald")


_S = PaymentState
# What the provider says is true, in whatever order we hear it: money that arrives after we gave up on it is paid (and
# goes back as late), and a refund may still fail days after it succeeded.
TRANSITIONS: dict[PaymentState, frozenset[PaymentState]] = {
    _S.CREATED: frozenset({_S.PAID, _S.FAILED, _S.EXPIRED}),
    _S.FAILED: frozenset({_S.PAID}),
    _S.EXPIRED: frozenset({_S.PAID}),
    _S.PAID: frozenset({_S.REFUND_PENDING, _S.REFUND_FAILED, _S.DISPUTED}),
    _S.REFUND_PENDING: frozenset({_S.REFUNDED, _S.REFUND_FAILED}),
    _S.REFUNDED: frozenset({_S.REFUND_FAILED}),
    _S.REFUND_FAILED: frozenset({_S.REFUND_PENDING, _S.REFUNDED}),
    _S.DISPUTED: frozenset({_S.PAID, _S.CHARGED_BACK}),
    _S.CHARGED_BACK: frozenset(),
}


class RefundReason(LabelledEnum):
    """Why money goes back to its giver."""

    LATE = "late", _l("kwam binnen na het einde")
    EXPIRED = "expired", _l("het bedrag is niet gehaald")
    STOPPED = "stopped", _l("het initiatief is gestopt")
    WITHDRAWN = "withdrawn", _l("het initiatief is ingetrokken")
    AT_PROVIDER = "at_provider", _l("teruggegeven bij de betaaldienst zelf")


class EventOutcome(LabelledEnum):
    """What an event of the provider did here."""

    APPLIED = "applied", _l("verwerkt")
    NOTHING_NEW = "nothing_new", _l("wisten we al")
    NOT_OURS = "not_ours", _l("niet van ons")
    UNKNOWN_TYPE = "unknown_type", _l("soort doet hier niets")
    TASK = "task", _l("taak voor financiën")
