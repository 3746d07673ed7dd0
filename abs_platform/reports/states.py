# SPDX-License-Identifier: EUPL-1.2
"""The figures that are kept of each year and district, and what they are called."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum

ALL_YEARS = 0


class Figure(LabelledEnum):
    """A figure of one year and one area. Amounts in cents; ``answer_tenths`` are tenths of a working day."""

    SUBMITTED = "submitted", _l("Ingediend")
    PUBLISHED = "published", _l("Op de site gezet")
    FUNDED = "funded", _l("Bedrag gehaald")
    EXPIRED = "expired", _l("Bedrag niet gehaald")
    REJECTED = "rejected", _l("Afgewezen")
    REALISED = "realised", _l("Gelukt")
    ANSWERS = "answers", _l("Antwoorden van de wijkregisseur")
    ANSWER_TENTHS = "answer_tenths", _l("Werkdagen tot een antwoord")
    ORGANISERS = "organisers", _l("Bewoners die organiseren")
    HELPERS = "helpers", _l("Bewoners die hulp aanbieden")
    INVOLVED = "involved", _l("Bewoners die meedoen")
    INITIATORS = "initiators", _l("Initiatiefnemers")
    FIRST_TIMERS = "first_timers", _l("Voor het eerst initiatiefnemer")
    VOUCHERS_CENTS = "vouchers_cents", _l("Vouchers")
    RESIDENTS_CENTS = "residents_cents", _l("Geld van bewoners")
    ORGANISATIONS_CENTS = "organisations_cents", _l("Geld van organisaties")
    VOUCHER_GIFTS = "voucher_gifts", _l("Vouchers gegeven")
    MONEY_GIFTS = "money_gifts", _l("Keer eigen geld gegeven")


# The rows of the tables of years, in their order.
TOLD = (
    Figure.SUBMITTED,
    Figure.PUBLISHED,
    Figure.REJECTED,
    Figure.FUNDED,
    Figure.EXPIRED,
    Figure.REALISED,
    Figure.INVOLVED,
    Figure.INITIATORS,
    Figure.FIRST_TIMERS,
    Figure.ANSWER_TENTHS,
)
SOURCES = (Figure.VOUCHERS_CENTS, Figure.RESIDENTS_CENTS, Figure.ORGANISATIONS_CENTS)
# Of whom it is about: in a district they are masked as households are.
PEOPLE = (Figure.ORGANISERS, Figure.HELPERS, Figure.INVOLVED)
# Told of the whole municipality only: in one district they would be about one or two people.
OF_ALL_ONLY = (Figure.INITIATORS, Figure.FIRST_TIMERS, Figure.ANSWERS, Figure.ANSWER_TENTHS)
BY_DISTRICT = tuple(figure for figure in Figure if figure not in (*PEOPLE, *OF_ALL_ONLY))
