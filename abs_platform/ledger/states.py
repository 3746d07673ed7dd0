# SPDX-License-Identifier: EUPL-1.2
"""The accounts of the books and the kinds of what is booked."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class Account(LabelledEnum):
    """An account. Budget and vouchers are kept per round, initiative and surplus per initiative, the others once.

    Sign convention, written down here and nowhere else: a posting is what the account gains.

    - Who holds money *for others* gains what it holds (+): the vouchers of a round, an initiative, what we owe to
      givers, what came back from an initiative.
    - Where money *comes from* loses it (-): a round's budget, the provider (minus its balance is what it holds for us),
      the bank (minus its balance is what went in and out of our account), and the municipality where it bears
      something: fees, disputes that are not decided.
    - What nobody can explain yet stands on suspense, with a task beside it.

    Every transaction sums to zero.
    """

    BUDGET = "budget", _l("budget van de ronde")
    VOUCHERS = "vouchers", _l("vouchers van de ronde")
    INITIATIVE = "initiative", _l("initiatief")
    PROVIDER = "provider", _l("betaaldienst")
    FEES = "fees", _l("kosten van de betaaldienst")
    BANK = "bank", _l("bank")
    OWED = "owed", _l("nog terug te geven")
    DISPUTES = "disputes", _l("betwiste betalingen")
    SUSPENSE = "suspense", _l("uit te zoeken")
    SURPLUS = "surplus", _l("niet besteed")


class TransactionKind(LabelledEnum):
    """What happened."""

    VOUCHERS_ISSUED = "vouchers_issued", _l("vouchers uitgegeven")
    VOUCHER_GIVEN = "voucher_given", _l("voucher gegeven")
    VOUCHER_RETURNED = "voucher_returned", _l("voucher teruggegeven")
    VOUCHERS_EXPIRED = "vouchers_expired", _l("vouchers verlopen")
    VOUCHERS_REVOKED = "vouchers_revoked", _l("vouchers ingetrokken")
    # provider -a, initiative +a; a payment that lands too late goes to owed instead
    PAYMENT_RECEIVED = "payment_received", _l("geld gegeven")
    PAYMENT_LATE = "payment_late", _l("geld te laat binnen")
    # initiative (or owed) -a, provider +a, when the provider took the refund on; refund_failed: provider -a, owed +a
    REFUND_MADE = "refund_made", _l("geld teruggegeven")
    REFUND_FAILED = "refund_failed", _l("teruggeven mislukt")
    # initiative -a, owed +a, when the provider cannot refund any more; by hand: owed -a, bank +a
    REFUND_OWED = "refund_owed", _l("geld nog terug te geven")
    REFUND_BY_HAND = "refund_by_hand", _l("geld met de hand teruggegeven")
    # what the giver has back and the initiative keeps, because it had reached its target: fees -a, provider +a
    REFUND_BORNE = "refund_borne", _l("teruggave voor rekening van de gemeente")
    PROVIDER_FEE = "provider_fee", _l("kosten van de betaaldienst")
    PROVIDER_PAYOUT = "provider_payout", _l("van betaaldienst naar bank")
    # opened: disputes -a, provider +a; won: the reverse; lost: initiative (or owed, or fees) -a, disputes +a
    DISPUTE_OPENED = "dispute_opened", _l("betaling betwist")
    DISPUTE_WON = "dispute_won", _l("betwiste betaling terug")
    DISPUTE_LOST = "dispute_lost", _l("betwiste betaling verloren")
    UNEXPLAINED = "unexplained", _l("uit te zoeken")
    EXPLAINED = "explained", _l("uitgezocht")
    # initiative -p, bank +p; bounced: the reverse
    PAYOUT_PAID = "payout_paid", _l("uitbetaald")
    PAYOUT_BOUNCED = "payout_bounced", _l("uitbetaling teruggekomen")
    # bank -r, surplus +r
    UNSPENT_RETURNED = "unspent_returned", _l("niet besteed, teruggestort")
    # what a stolen voucher's initiative was paid already: fees -a, initiative +a, and then the gift returns
    OBJECTION_BORNE = "objection_borne", _l("gestolen gift voor rekening van de gemeente")
