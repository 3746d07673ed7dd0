# SPDX-License-Identifier: EUPL-1.2
"""What finance is asked to look at."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class TaskKind(LabelledEnum):
    """Why a task was opened."""

    REFUND_FAILED = "refund_failed", _l("Teruggeven is mislukt")
    REFUND_TOO_LATE = "refund_too_late", _l("Te laat om terug te geven via de betaaldienst")
    REFUND_AT_PROVIDER = "refund_at_provider", _l("Teruggegeven bij de betaaldienst zelf")
    DIFFERENCE = "difference", _l("Verschil met de betaaldienst")
    DISPUTE_OPENED = "dispute_opened", _l("Een bank betwist een betaling")
    DISPUTE_LOST = "dispute_lost", _l("Een betwiste betaling is verloren")
    STOPPED_AFTER_PAYOUT = "stopped_after_payout", _l("Gestopt nadat er is uitbetaald")
    STATEMENT = "statement", _l("Bankafschrift klopt niet met een uitbetaling")
    PAYOUT_BOUNCED = "payout_bounced", _l("Een uitbetaling kwam terug")
    BOOKS_BROKEN = "books_broken", _l("De boeken kloppen niet")


class Settlement(LabelledEnum):
    """How a task was settled: most need only a note; some book something."""

    NOTE = "note", _l("Bekeken; er hoeft niets te worden geboekt")
    PAID_BY_HAND = "paid_by_hand", _l("Met de hand terugbetaald aan de gever")
    TRY_AGAIN = "try_again", _l("Nog een keer via de betaaldienst proberen")
    BORNE = "borne", _l("Voor rekening van de gemeente")
