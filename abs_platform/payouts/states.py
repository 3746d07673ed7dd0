# SPDX-License-Identifier: EUPL-1.2
"""The lives of a payout and of a batch of payouts."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class PayoutState(LabelledEnum):
    """Where a payout is (rule 8)."""

    REQUESTED = "requested", _l("wacht op de wijkregisseur")
    INCOMPLETE = "incomplete", _l("er ontbreekt iets")
    CONFIRMED = "confirmed", _l("wacht op financiën")
    APPROVED = "approved", _l("goedgekeurd")
    EXPORTED = "exported", _l("onderweg naar de bank")
    PAID = "paid", _l("betaald")
    REFUSED = "refused", _l("geweigerd")
    BOUNCED = "bounced", _l("teruggekomen van de bank")


_S = PayoutState
# Other bank details start over: whatever was confirmed or approved is requested again. A file that was withdrawn may be
# executed all the same: the bank's statement then makes an approved payout paid.
TRANSITIONS: dict[PayoutState, frozenset[PayoutState]] = {
    _S.REQUESTED: frozenset({_S.REQUESTED, _S.INCOMPLETE, _S.CONFIRMED, _S.REFUSED}),
    _S.INCOMPLETE: frozenset({_S.REQUESTED, _S.REFUSED}),
    _S.CONFIRMED: frozenset({_S.REQUESTED, _S.INCOMPLETE, _S.APPROVED, _S.REFUSED}),
    _S.APPROVED: frozenset({_S.REQUESTED, _S.INCOMPLETE, _S.EXPORTED, _S.REFUSED, _S.PAID}),
    _S.EXPORTED: frozenset({_S.APPROVED, _S.PAID, _S.BOUNCED}),
    _S.PAID: frozenset({_S.BOUNCED}),
    _S.REFUSED: frozenset(),
    _S.BOUNCED: frozenset(),
}
# A payout that may still become money; an initiative has one of them at a time.
LIVING_STATES = (_S.REQUESTED, _S.INCOMPLETE, _S.CONFIRMED, _S.APPROVED, _S.EXPORTED)
# Its bank may have it: what was given is given back to nobody any more until that is known (lesson: never pay twice).
AT_THE_BANK_STATES = (_S.EXPORTED, _S.PAID)


class HolderKind(LabelledEnum):
    """Whose bank account it is."""

    ORGANISATION = "organisation", _l("een vereniging, stichting of bedrijf")
    PERSON = "person", _l("een persoon")


class FinanceList(LabelledEnum):
    """The lists of finance."""

    TO_APPROVE = "goed-te-keuren", _l("goed te keuren")
    APPROVED = "goedgekeurd", _l("goedgekeurd")
    AT_BANK = "onderweg", _l("onderweg naar de bank")
    PAID = "betaald", _l("betaald")
    ELSEWHERE = "elders", _l("wacht op anderen")
    BACK = "niet-betaald", _l("geweigerd of teruggekomen")


class BatchState(LabelledEnum):
    """A file for the bank: one of finance makes it, another releases it; then it is settled by the bank's statement."""

    MADE = "made", _l("wacht op vrijgave")
    RELEASED = "released", _l("vrijgegeven")
    SETTLED = "settled", _l("afgehandeld")
    CANCELLED = "cancelled", _l("ingetrokken")


BATCH_TRANSITIONS: dict[BatchState, frozenset[BatchState]] = {
    BatchState.MADE: frozenset({BatchState.RELEASED, BatchState.CANCELLED}),
    BatchState.RELEASED: frozenset({BatchState.SETTLED, BatchState.CANCELLED}),
    BatchState.SETTLED: frozenset(),
    BatchState.CANCELLED: frozenset(),
}


class LineOutcome(LabelledEnum):
    """What a line of a bank statement did to its payout."""

    PAID = "paid", _l("uitbetaling is betaald")
    BOUNCED = "bounced", _l("uitbetaling kwam terug")
    AGREED = "agreed", _l("stond al zo in onze boeken")
    DIFFERS = "differs", _l("klopt niet: taak gemaakt")
