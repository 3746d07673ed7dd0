# SPDX-License-Identifier: EUPL-1.2
"""Figures as files for a spreadsheet: what the pages show and no more.

As the public books do: UTF-8 with a mark in front, semicolons, decimal commas, and no text that a spreadsheet would
take for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from abs_platform.areas.queries import AreaRow
from abs_platform.areas.states import AreaLevel
from abs_platform.clock import local_date
from abs_platform.reports.closing import ClosingReport
from abs_platform.reports.publishing import AreaFigures
from abs_platform.reports.queries import RoundReport
from abs_platform.reports.states import ALL_YEARS, BY_DISTRICT, SOURCES, Figure
from abs_platform.reports.years import DistrictYear, Year

BYTE_ORDER_MARK = "\ufeff"
FORMULA_SIGNS = ("=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
HEADER = (
    "ronde",
    "open vanaf",
    "laatste dag",
    "niveau",
    "code",
    "naam",
    "brieven",
    "gegeven",
    "afgerond op tientallen",
    "deel gegeven",
    "online",
    "via initiatiefnemer",
    "balie",
    "bewaard",
    "nog te geven",
    "verlopen",
    "ingetrokken",
)
Row = Sequence[str | int | None]


def written(rows: Iterable[Row]) -> str:
    """Rows as a file. None is an empty cell: it is not told."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write(BYTE_ORDER_MARK)
    for row in rows:
        writer.writerow(["" if cell is None else _harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return buffer.getvalue()


def figures(town: tuple[str, str], rounds: Iterable[tuple[RoundReport, Sequence[AreaFigures]]]) -> Iterator[Row]:
    """The open data: each round as a whole, and its districts and neighbourhoods as they may be shown."""
    yield HEADER
    for report, districts in rounds:
        one = report.totals
        span = (report.name, local_date(report.opens_at).isoformat(), report.last_day.isoformat())
        yield (
            *span,
            "gemeente",
            *town,
            one.letters,
            one.given,
            "nee",
            _share(one.used),
            one.online,
            one.organiser,
            one.desk,
            one.kept,
            one.living,
            one.expired,
            one.revoked,
        )
        for district in districts:
            yield (*span, "wijk", *_cells(district, report))
            for neighbourhood in district.neighbourhoods:
                yield (*span, "buurt", *_cells(neighbourhood, report))


def _cells(one: AreaFigures, report: RoundReport) -> Row:
    rounded = None if one.given is None else "nee" if report.is_final else "ja"
    return (one.area.code, one.area.name, one.letters, one.given, rounded, _share(one.used), *[None] * 7)


YEARS_HEADER = ("jaar", "niveau", "code", "naam", "cijfer", "waarde")


def of_years(found: Sequence[Year], areas: Sequence[AreaRow]) -> Iterator[Row]:
    """The figures of years, one a line; amounts in euros, days in working days, people of a district in whole tens."""
    yield YEARS_HEADER
    town = next((area for area in areas if area.level == AreaLevel.MUNICIPALITY), None)
    whole = ("gemeente", town.code if town else "", town.name if town else "")
    for year in found:
        name = str(year.year) if year.year != ALL_YEARS else "alle jaren"
        for figure in Figure:
            yield (name, *whole, figure.label, _value(year, figure))
        for one in year.districts:
            place = ("wijk", one.area.code, one.area.name)
            for figure in BY_DISTRICT:
                yield (name, *place, figure.label, _value(one, figure))
            yield (name, *place, Figure.INVOLVED.label, one.involved)


def _value(one: Year | DistrictYear, figure: Figure) -> str | int | None:
    if figure in SOURCES:
        return euros(one.of(figure))
    if figure == Figure.ANSWER_TENTHS:
        days = one.answer_days if isinstance(one, Year) else None
        return None if days is None else f"{days:.1f}".replace(".", ",")
    return one.of(figure)


def closing(report: ClosingReport) -> Iterator[Row]:
    """The closing report: where every euro of a round is."""
    yield ("waar", "nummer initiatief", "initiatief", "stand", "gekregen", "teruggegeven", "bedrag")
    for one in report.initiatives:
        yield (
            "initiatief",
            one.id,
            one.title,
            str(one.state.label),
            euros(one.given_cents),
            euros(one.back_cents),
            euros(one.keeps_cents),
        )
    places = (
        ("terug naar het budget: verlopen", report.expired_cents),
        ("terug naar het budget: ingetrokken", report.revoked_cents),
        ("nog te geven of bewaard", report.living_cents),
        ("samen", report.sum_cents),
        ("uitgegeven", report.issued_cents),
        ("verschil", report.difference_cents),
    )
    for label, cents in places:
        yield (label, None, None, None, None, None, euros(cents))


def euros(cents: int) -> str:
    """An amount with a decimal comma and nothing else: -7,50."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100},{abs(cents) % 100:02d}"


def _share(share: float | None) -> str | None:
    """A share as a number between 0 and 1, with a decimal comma."""
    return None if share is None else f"{share:.3f}".replace(".", ",")


def _harmless(word: str) -> str:
    """A text that no spreadsheet takes for a formula, on one line. An amount below nought is none."""
    flat = " ".join(word.split())
    is_amount = flat.removeprefix("-").replace(",", "").isdigit()
    return f"'{flat}" if flat.startswith(FORMULA_SIGNS) and not is_amount else flat
