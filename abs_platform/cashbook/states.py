# SPDX-License-Identifier: EUPL-1.2
"""The words of the public books: a sentence for each kind of movement, and what readers may choose to see."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from abs_platform.initiatives.states import FAILED_STATES, InitiativeState
from abs_platform.ledger.states import Account
from abs_platform.ledger.states import TransactionKind as Kind
from abs_platform.lives import LabelledEnum


class Sort(LabelledEnum):
    """What a reader may choose to see of the movements. The value stands in the address."""

    VOUCHERS = "vouchers", _l("Vouchers gegeven")
    RESIDENTS = "bewoners", _l("Geld van bewoners")
    ORGANISATIONS = "organisaties", _l("Geld van organisaties")
    VOUCHERS_BACK = "vouchers-terug", _l("Vouchers terug naar gevers")
    MONEY_BACK = "geld-terug", _l("Geld terug naar gevers")
    STILL_OWED = "nog-terug-te-geven", _l("Geld dat nog terug moet")
    PAID_OUT = "uitbetaald", _l("Uitbetaald aan initiatieven")
    UNSPENT = "niet-besteed", _l("Niet besteed en teruggestort")
    ISSUED = "uitgegeven", _l("Vouchers uitgegeven of vervangen")
    EXPIRED = "verlopen", _l("Vouchers verlopen")
    COSTS = "kosten", _l("Kosten van de betaaldienst")
    TO_THE_BANK = "naar-de-bank", _l("Van betaaldienst naar bank")
    DISPUTED = "betwist", _l("Teruggevraagde betalingen")
    UNEXPLAINED = "uit-te-zoeken", _l("Uit te zoeken")


# Who gave is asked only where it tells: of these two the kinds are the same.
_MONEY_IN = (Kind.PAYMENT_RECEIVED, Kind.PAYMENT_LATE)
# What is paid out includes what came back of it, so that the sum of a choice is what was really spent.
KINDS: Mapping[Sort, tuple[Kind, ...]] = {
    Sort.VOUCHERS: (Kind.VOUCHER_GIVEN,),
    Sort.RESIDENTS: _MONEY_IN,
    Sort.ORGANISATIONS: _MONEY_IN,
    Sort.VOUCHERS_BACK: (Kind.VOUCHER_RETURNED, Kind.OBJECTION_BORNE),
    Sort.MONEY_BACK: (Kind.REFUND_MADE, Kind.REFUND_FAILED, Kind.REFUND_BY_HAND, Kind.REFUND_BORNE),
    Sort.STILL_OWED: (Kind.PAYMENT_LATE, Kind.REFUND_OWED, Kind.REFUND_FAILED, Kind.REFUND_BY_HAND),
    Sort.PAID_OUT: (Kind.PAYOUT_PAID, Kind.PAYOUT_BOUNCED, Kind.UNSPENT_RETURNED),
    Sort.UNSPENT: (Kind.UNSPENT_RETURNED,),
    Sort.ISSUED: (Kind.VOUCHERS_ISSUED, Kind.VOUCHERS_REVOKED),
    Sort.EXPIRED: (Kind.VOUCHERS_EXPIRED,),
    Sort.COSTS: (Kind.PROVIDER_FEE,),
    Sort.TO_THE_BANK: (Kind.PROVIDER_PAYOUT,),
    Sort.DISPUTED: (Kind.DISPUTE_OPENED, Kind.DISPUTE_WON, Kind.DISPUTE_LOST),
    Sort.UNEXPLAINED: (Kind.UNEXPLAINED, Kind.EXPLAINED),
}
OF_ORGANISATIONS: Mapping[Sort, bool] = {Sort.RESIDENTS: False, Sort.ORGANISATIONS: True}
# What can happen to the money of one initiative.
OF_ONE_INITIATIVE = (
    *(Sort.VOUCHERS, Sort.RESIDENTS, Sort.ORGANISATIONS, Sort.VOUCHERS_BACK),
    *(Sort.MONEY_BACK, Sort.PAID_OUT, Sort.UNSPENT),
)


class Phase(LabelledEnum):
    """Where an initiative is now, as far as its money is concerned. The value stands in the address."""

    REALISED = "gelukt", _l("Gelukte initiatieven")
    RUNNING = "in-uitvoering", _l("Initiatieven met genoeg geld")
    COLLECTING = "haalt-op", _l("Initiatieven die nu ophalen")
    FAILED = "gestopt", _l("Initiatieven die niet doorgaan")


STATES: Mapping[Phase, tuple[InitiativeState, ...]] = {
    Phase.REALISED: (InitiativeState.REALISED,),
    Phase.RUNNING: (InitiativeState.FUNDED, InitiativeState.IN_PROGRESS),
    Phase.COLLECTING: (InitiativeState.PUBLISHED,),
    Phase.FAILED: FAILED_STATES,
}

SENTENCES: Mapping[Kind, LazyString] = {
    Kind.VOUCHERS_ISSUED: _l("Vouchers uitgegeven"),
    Kind.VOUCHER_GIVEN: _l("Voucher gegeven"),
    Kind.VOUCHER_RETURNED: _l("Voucher terug naar de gever"),
    Kind.VOUCHERS_EXPIRED: _l("Vouchers niet gebruikt: geld terug naar de gemeente"),
    Kind.VOUCHERS_REVOKED: _l("Vouchers ingetrokken, bijvoorbeeld na een verloren brief"),
    Kind.PAYMENT_RECEIVED: _l("Geld van een bewoner"),
    Kind.PAYMENT_LATE: _l("Geld van een bewoner, te laat binnen: het gaat terug"),
    Kind.REFUND_MADE: _l("Geld terug naar de gever"),
    Kind.REFUND_FAILED: _l("Teruggeven is mislukt: we proberen het opnieuw"),
    Kind.REFUND_OWED: _l("Apart gezet om terug te geven aan de gever"),
    Kind.REFUND_BY_HAND: _l("Geld terug naar de gever, overgemaakt door de gemeente"),
    Kind.OBJECTION_BORNE: _l("Voucher terug naar de bewoner: de gemeente betaalt, het initiatief houdt de gift"),
    Kind.REFUND_BORNE: _l("Geld terug naar de gever: de gemeente betaalt, het initiatief houdt de gift"),
    Kind.PROVIDER_FEE: _l("Kosten van de betaaldienst, voor de gemeente"),
    Kind.PROVIDER_PAYOUT: _l("Van de betaaldienst naar de bank van de gemeente"),
    Kind.DISPUTE_OPENED: _l("Een bank vraagt een betaling terug: we zoeken het uit"),
    Kind.DISPUTE_WON: _l("Teruggevraagde betaling komt weer bij ons"),
    Kind.DISPUTE_LOST: _l("Teruggevraagde betaling blijft bij de gever"),
    Kind.UNEXPLAINED: _l("Verschil met de betaaldienst: we zoeken het uit"),
    Kind.EXPLAINED: _l("Verschil met de betaaldienst is uitgezocht"),
    Kind.PAYOUT_PAID: _l("Uitbetaald aan het initiatief"),
    Kind.PAYOUT_BOUNCED: _l("Uitbetaling kwam terug van de bank"),
    Kind.UNSPENT_RETURNED: _l("Niet besteed: het initiatief stortte dit terug"),
}
OF_ORGANISATION: Mapping[Kind, LazyString] = {
    Kind.PAYMENT_RECEIVED: _l("Geld van een organisatie"),
    Kind.PAYMENT_LATE: _l("Geld van een organisatie, te laat binnen: het gaat terug"),
}

MEANINGS: Mapping[Account, tuple[LazyString, LazyString]] = {
    Account.BUDGET: (
        _l("Budget voor vouchers"),
        _l("Wat de gemeente voor vouchers geeft. Vouchers die verlopen, tellen hier weer bij op."),
    ),
    Account.VOUCHERS: (
        _l("Vouchers die nog te geven zijn"),
        _l("De waarde van alle vouchers die bewoners nog in huis hebben of bewaren."),
    ),
    Account.INITIATIVE: (
        _l("Initiatieven"),
        _l("Wat alle initiatieven samen hebben gekregen en nog niet is uitbetaald. Dit is het saldo in het kasboek."),
    ),
    Account.PROVIDER: (
        _l("Betaaldienst"),
        _l("Geld van bewoners en organisaties dat nog bij de betaaldienst staat. Het staat hier met een min."),
    ),
    Account.BANK: (
        _l("Bank van de gemeente"),
        _l("Wat van de betaaldienst kwam (min) en wat naar initiatieven en gevers ging (plus)."),
    ),
    Account.FEES: (
        _l("Kosten voor de gemeente"),
        _l("Wat de gemeente zelf betaalt, zodat een initiatief elke gift helemaal krijgt."),
    ),
    Account.OWED: (_l("Nog terug te geven"), _l("Geld van gevers dat we nog moeten terugbetalen.")),
    Account.DISPUTES: (
        _l("Teruggevraagde betalingen"),
        _l("Een bank vroeg een betaling terug en er is nog niet beslist. De gemeente schiet het voor."),
    ),
    Account.SUSPENSE: (_l("Uit te zoeken"), _l("Een verschil met de betaaldienst dat we nog niet kunnen uitleggen.")),
    Account.SURPLUS: (
        _l("Niet besteed"),
        _l("Geld dat initiatieven overhielden en terugstortten aan de gemeente."),
    ),
}


def sentence(kind: Kind, *, of_organisation: bool) -> str:
    """What happened, for people who are no bookkeepers."""
    return str(OF_ORGANISATION[kind] if of_organisation and kind in OF_ORGANISATION else SENTENCES[kind])
