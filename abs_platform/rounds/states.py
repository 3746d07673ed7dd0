# SPDX-License-Identifier: EUPL-1.2
"""The life of a round, and what must be right before its vouchers are issued."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class RoundState(LabelledEnum):
    """Open is not a state: a round is open when it is issued and between its opening and closing."""

    DRAFT = "draft", _l("concept")
    PLANNED = "planned", _l("gepland")
    ISSUED = "issued", _l("uitgegeven")
    CLOSED = "closed", _l("gesloten")
    CANCELLED = "cancelled", _l("geannuleerd")


TRANSITIONS: dict[RoundState, frozenset[RoundState]] = {
    RoundState.DRAFT: frozenset({RoundState.PLANNED}),
    RoundState.PLANNED: frozenset({RoundState.ISSUED, RoundState.CANCELLED}),
    RoundState.ISSUED: frozenset({RoundState.CLOSED}),
    RoundState.CLOSED: frozenset(),
    RoundState.CANCELLED: frozenset(),
}


class CheckKind(LabelledEnum):
    """One line of the check list of a round, in the order in which it is read."""

    DATES = "dates", _l("Data")
    DISTRICTS = "districts", _l("Wijken")
    ADDRESSES = "addresses", _l("Adressen zijn vers")
    NEIGHBOURHOODS = "neighbourhoods", _l("Elk adres heeft een buurt")
    LETTER_TEXT = "letter_text", _l("Tekst van de brief")
    BUDGET = "budget", _l("Budget")
    KEY = "key", _l("Vouchersleutel")
    HELP_POINTS = "help_points", _l("Hulp in elke wijk")
    JOB_PROCESS = "job_process", _l("Taken draaien")


# A round may be issued while one of these is not green: it says what to do, and stops nobody.
WARNINGS = frozenset({CheckKind.HELP_POINTS, CheckKind.JOB_PROCESS})
# A coordinator may release a round despite these, with a reason. Never despite text, budget, key, dates or areas.
MAY_BE_SET_ASIDE = frozenset({CheckKind.ADDRESSES, CheckKind.HELP_POINTS})
