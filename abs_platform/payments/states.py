# SPDX-License-Identifier: EUPL-1.2
"""The life of a payment, and why money goes back."""

from enum import StrEnum

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
# goes back as late), and a refund may still fail days after it succeeded. What was asked but not yet accepted is
# disputed when a bank claims it first; of what the bank took, a part that was refunded before may still fail.
TRANSITIONS: dict[PaymentState, frozenset[PaymentState]] = {
    _S.CREATED: frozenset({_S.PAID, _S.FAILED, _S.EXPIRED}),
    _S.FAILED: frozenset({_S.PAID}),
    _S.EXPIRED: frozenset({_S.PAID}),
    _S.PAID: frozenset({_S.REFUND_PENDING, _S.REFUND_FAILED, _S.DISPUTED}),
    _S.REFUND_PENDING: frozenset({_S.REFUNDED, _S.REFUND_FAILED, _S.DISPUTED}),
    _S.REFUNDED: frozenset({_S.REFUND_FAILED}),
    _S.REFUND_FAILED: frozenset({_S.REFUND_PENDING, _S.REFUNDED, _S.DISPUTED}),
    _S.DISPUTED: frozenset({_S.PAID, _S.CHARGED_BACK}),
    _S.CHARGED_BACK: frozenset({_S.REFUND_FAILED}),
}


class RefundReason(LabelledEnum):
    """Why money goes back to its giver."""

    LATE = "late", _l("kwam binnen na het einde")
    EXPIRED = "expired", _l("het bedrag is niet gehaald")
    STOPPED = "stopped", _l("het initiatief is gestopt")
    WITHDRAWN = "withdrawn", _l("het initiatief is ingetrokken")
    AT_PROVIDER = "at_provider", _l("teruggegeven bij de betaaldienst zelf")


class GiftStage(StrEnum):
    """Where a gift of money is for who gave it: one page of the receipt for each."""

    WAITING = "waiting"
    WAITING_LONG = "waiting_long"
    NOT_PAID = "not_paid"
    COUNTS = "counts"
    GOING_BACK = "going_back"
    BACK = "back"
    STUCK = "stuck"
    DISPUTED = "disputed"
    CHARGED_BACK = "charged_back"


class EventOutcome(LabelledEnum):
    """What an event of the provider did here."""

    APPLIED = "applied", _l("verwerkt")
    NOTHING_NEW = "nothing_new", _l("wisten we al")
    NOT_OURS = "not_ours", _l("niet van ons")
    UNKNOWN_TYPE = "unknown_type", _l("soort doet hier niets")
    TASK = "task", _l("taak voor financiën")


# The ways to pay, in the provider's words, as givers know them; a way that is not here has a name of its own.
METHODS = {
    "ideal": _l("iDEAL | Wero"),
    "card": _l("creditcard of betaalpas"),
    "bancontact": _l("Bancontact"),
    "sepa_debit": _l("automatische incasso"),
    "paypal": _l("PayPal"),
}
