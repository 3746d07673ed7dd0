# SPDX-License-Identifier: EUPL-1.2
"""The picture of where the money went: what it shows, and where on the picture each part of it stands.

Sources stand on the left and destinations on the right; through the middle all of it passes. The height of a part is
its share of the money. Colours are classes of a style sheet, so that the dark gets its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from abs_platform.cashbook.states import KINDS, Phase, Sort
from abs_platform.cashbook.totals import PhaseSums, RoundSums, Sums
from abs_platform.ledger.states import Account

# In units of the picture, which is scaled to the page.
WIDTH, BAR, TOP, WORDS = 1040, 22, 8, 236
LEFT_X, MIDDLE_X, RIGHT_X = 250, 482, 700
LEAST_SLOT, ALL_HIGH, THINNEST = 56, 420, 2.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One part of the money, in cents, the colour it has and the choices that show its movements.

    ``page`` is where its movements are: the book, or the page with all accounts for what is no choice there.
    """

    key: str
    label: str
    cents: int
    colour: str
    choice: dict[str, str]
    page: str = "cashbook.index"


@dataclass(frozen=True, slots=True)
class Flow:
    """Where money came from and where it is: both sides add up to the same."""

    sources: list[Figure]
    destinations: list[Figure]

    @property
    def total_cents(self) -> int:
        """All the money that came in."""
        return sum(figure.cents for figure in self.sources)


@dataclass(frozen=True, slots=True)
class Part:
    """A figure on the picture: its bar, its words beside it, and the ribbon to or from the middle."""

    figure: Figure
    y: float
    height: float
    text_y: float
    ribbon: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole picture. ``middle_y`` and ``middle_height`` are of the bar through which all of it passes."""

    height: float
    middle_y: float
    middle_height: float
    sources: list[Part]
    destinations: list[Part]


@dataclass(frozen=True, slots=True)
class Stripe:
    """A figure on the picture for a phone: a piece of one long bar."""

    figure: Figure
    x: float
    width: float


def flow(sums: Sums, rounds: Sequence[RoundSums], phases: dict[Phase, PhaseSums]) -> Flow:
    """All figures. What would be negative on one side stands on the other, and what is nothing is left out."""
    figures = [*_sources(sums, rounds), *_destinations(sums, phases)]
    # A source is money that somebody lost to the platform: it is negative here, as in the ledger.
    return Flow(
        [_turned(figure) for figure in figures if figure.cents < 0], [figure for figure in figures if figure.cents > 0]
    )


def _turned(figure: Figure) -> Figure:
    return Figure(figure.key, figure.label, -figure.cents, figure.colour, figure.choice, figure.page)


def _sources(sums: Sums, rounds: Sequence[RoundSums]) -> list[Figure]:
    by_round = [
        Figure(
            f"round-{one.id}",
            _("Vouchers %(round)s", round=one.name),
            -one.issued_cents,
            "vouchers",
            {"soort": Sort.ISSUED, "ronde": str(one.id)},
        )
        for one in rounds
    ]
    residents, organisations = sums.money(organisation=False), sums.money(organisation=True)
    return [
        *by_round,
        Figure("residents", _("Geld van bewoners"), -residents.given_cents, "residents", {"soort": Sort.RESIDENTS}),
        Figure(
            "organisations",
            _("Geld van organisaties"),
            -organisations.given_cents,
            "organisations",
            {"soort": Sort.ORGANISATIONS},
        ),
        _account("fees", _("De gemeente, voor kosten"), sums, Account.FEES, "municipality"),
        _account("disputes", _("De gemeente schiet voor"), sums, Account.DISPUTES, "municipality"),
        _account("suspense", _("Nog uit te zoeken"), sums, Account.SUSPENSE, "municipality"),
    ]


def _destinations(sums: Sums, phases: dict[Phase, PhaseSums]) -> list[Figure]:
    spent = {
        Phase.REALISED: _("Besteed: plannen die gelukt zijn"),
        Phase.RUNNING: _("Uitbetaald: plannen in uitvoering"),
        Phase.COLLECTING: _("Uitbetaald: plannen die ophalen"),
        Phase.FAILED: _("Uitbetaald: plannen die stopten"),
    }
    held = {
        Phase.REALISED: _("Nog uit te betalen: gelukte plannen"),
        Phase.RUNNING: _("Klaar om uit te betalen"),
        Phase.COLLECTING: _("Bij plannen die nu ophalen"),
        Phase.FAILED: _("Gaat terug: plannen die stopten"),
    }
    paid = Sort.PAID_OUT
    given_back = sums.money(organisation=False).back_cents + sums.money(organisation=True).back_cents
    surplus, costs = sums.of(Account.SURPLUS), sums.of(Account.PROVIDER, KINDS[Sort.COSTS])
    refused = sums.of(Account.PROVIDER, KINDS[Sort.DISPUTED])
    unexplained = sums.of(Account.PROVIDER, KINDS[Sort.UNEXPLAINED]) + sums.of(Account.BANK, KINDS[Sort.UNEXPLAINED])
    return [
        *(
            Figure(f"spent-{phase}", label, phases[phase].spent_cents, f"spent-{phase}", {"soort": paid, "fase": phase})
            for phase, label in spent.items()
        ),
        *(
            Figure(f"held-{phase}", label, phases[phase].held_cents, f"held-{phase}", {"fase": phase})
            for phase, label in held.items()
        ),
        _account("vouchers", _("Vouchers nog te geven"), sums, Account.VOUCHERS, "waiting"),
        Figure(
            "expired",
            _("Vouchers niet gebruikt"),
            sums.of(Account.BUDGET, KINDS[Sort.EXPIRED]),
            "unused",
            {"soort": Sort.EXPIRED},
        ),
        Figure("back", _("Terug naar gevers"), given_back, "back", {"soort": Sort.MONEY_BACK}),
        Figure("disputed", _("Door de bank teruggehaald"), refused, "back", {"soort": Sort.DISPUTED}),
        Figure("owed", _("Moet nog terug naar gevers"), sums.of(Account.OWED), "back", {"soort": Sort.STILL_OWED}),
        Figure("surplus", _("Overgehouden en teruggestort"), surplus, "unused", {"soort": Sort.UNSPENT}),
        Figure("costs", _("Kosten van de betaaldienst"), costs, "costs", {"soort": Sort.COSTS}),
        Figure("unexplained", _("Verschil met de betaaldienst"), unexplained, "costs", {"soort": Sort.UNEXPLAINED}),
    ]


def _account(key: str, label: str, sums: Sums, account: Account, colour: str) -> Figure:
    """What one account holds; its movements are told with those of the other accounts."""
    return Figure(key, label, sums.of(account), colour, {"_anchor": f"rekening-{account}"}, "cashbook.accounts")


def draw(found: Flow) -> Picture:
    """Where each part stands: every figure has room for its words, and bars have the height of their share."""
    scale = ALL_HIGH / max(1, found.total_cents)
    columns = [_slots(side, scale) for side in (found.sources, found.destinations)]
    height = max(slots[-1][1] if slots else 0 for slots in columns)
    middle_y = (height - ALL_HIGH) / 2 + TOP
    sources, destinations = (
        _column(side, slots, scale, TOP + (height - (slots[-1][1] if slots else 0)) / 2, middle_y, is_source=is_source)
        for side, slots, is_source in zip((found.sources, found.destinations), columns, (True, False), strict=True)
    )
    return Picture(round(height + 2 * TOP), round(middle_y, 1), ALL_HIGH, sources, destinations)


def _slots(figures: Sequence[Figure], scale: float) -> list[tuple[float, float]]:
    """The beginning and end of the room of each figure in its column."""
    slots, y = [], 0.0
    for figure in figures:
        end = y + max(LEAST_SLOT, figure.cents * scale + 10)
        slots.append((y, end))
        y = end
    return slots


def _column(
    figures: Sequence[Figure],
    slots: Sequence[tuple[float, float]],
    scale: float,
    top: float,
    middle_y: float,
    *,
    is_source: bool,
) -> list[Part]:
    parts = []
    for figure, (start, end) in zip(figures, slots, strict=True):
        share = figure.cents * scale
        high = max(THINNEST, share)
        y = top + (start + end - high) / 2
        ends = (LEFT_X + BAR, MIDDLE_X) if is_source else (RIGHT_X, MIDDLE_X + BAR)
        ribbon = _ribbon(ends, (y, y + high), (middle_y, middle_y + share))
        parts.append(Part(figure, round(y, 1), round(high, 1), round(y + high / 2, 1), ribbon))
        middle_y += share
    return parts


def _ribbon(xs: tuple[float, float], outer: tuple[float, float], inner: tuple[float, float]) -> str:
    """A band between a bar and its share of the middle, as a path."""
    (start, end), half = xs, (xs[0] + xs[1]) / 2
    upper, lower = (outer[0], inner[0]), (inner[1], outer[1])
    return (
        f"M{start:.0f} {upper[0]:.1f}C{half:.0f} {upper[0]:.1f} {half:.0f} {upper[1]:.1f} {end:.0f} {upper[1]:.1f}"
        f"V{lower[0]:.1f}C{half:.0f} {lower[0]:.1f} {half:.0f} {lower[1]:.1f} {start:.0f} {lower[1]:.1f}Z"
    )


def stripes(figures: Sequence[Figure], width: float = 320, gap: float = 2) -> list[Stripe]:
    """One long bar of all figures of one side, with at least a line for each."""
    room = width - (len(figures) - 1) * gap
    least = min(2.0, room / max(1, len(figures)))
    total = max(1, sum(figure.cents for figure in figures))
    shares = [max(least, figure.cents * room / total) for figure in figures]
    squeezed = [share * room / max(1, sum(shares)) for share in shares]
    places = [sum(squeezed[:place]) + gap * place for place in range(len(squeezed))]
    pieces = zip(figures, places, squeezed, strict=True)
    return [Stripe(figure, round(place, 1), round(wide, 1)) for figure, place, wide in pieces]
