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


class WaitingKind(LabelledEnum):
    """What waits at finance, in the order in which it is shown."""

    TO_APPROVE = "to_approve", _l("Uitbetalingen goed te keuren")
    APPROVED = "approved", _l("Goedgekeurde uitbetalingen die nog niet in een betaalopdracht staan")
    TO_RELEASE = "to_release", _l("Betaalopdrachten vrij te geven")
    OWN_BATCH = "own_batch", _l("Betaalopdrachten van jou, die een collega moet vrijgeven")
    TO_DELIVER = "to_deliver", _l("Vrijgegeven betaalopdrachten die niemand heeft gedownload")
    AT_THE_BANK = "at_the_bank", _l("Uitbetalingen die lang onderweg zijn naar de bank")
    TASKS = "tasks", _l("Taken")
    DISPUTED = "disputed", _l("Betwiste betalingen")
    REFUNDS = "refunds", _l("Geld terug naar de gever dat blijft hangen")
    UNSPENT = "unspent", _l("Initiatieven met geld dat niet is besteed")
    MAILS = "mails", _l("Mails die niet weg konden")
