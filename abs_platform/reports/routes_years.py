# SPDX-License-Identifier: EUPL-1.2
"""The figures of years for everyone: the report of one year on one page, and all of them as a file."""

from __future__ import annotations

from flask import Blueprint, Response, render_template
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.areas.queries import list_areas
from abs_platform.clock import local_date
from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.reports import csv_files, queries, year_charts
from abs_platform.reports.routes import csv_answer, words
from abs_platform.reports.states import ALL_YEARS
from abs_platform.reports.years import Year, year_numbers, years
from abs_platform.security import public

bp = Blueprint("reports_years", __name__, url_prefix="/cijfers")


@bp.get("/jaar/<int(fixed_digits=4):year>")
@public
def show(year: int) -> str:
    """The report of one year, to be printed. Raises: NotFound."""
    session = db.session()
    found = years(session, list_areas(session))
    one = next((found_year for found_year in found if found_year.year == year), None)
    if one is None or year == ALL_YEARS:
        raise NotFound(_("Van dit jaar zijn er geen cijfers. Kies een ander jaar bij de cijfers."))
    before = [found_year for found_year in found if found_year.year == year - 1]
    return render_template(
        "reports/year.html",
        year=one,
        years=[one, *before],
        is_running=year == clock.today().year,
        rounds=_rounds_of(session, year),
        others=year_numbers(found) if len(year_numbers(found)) > 1 else [],
        money_bars=year_charts.money_bars([one, *before]),
        district_bars=year_charts.district_bars(one),
        **words(),
    )


def _rounds_of(session: Session, year: int) -> list[queries.RoundReport]:
    """The rounds that opened in a year, the first one first, with their totals."""
    reports = [one for one in queries.rounds(session) if local_date(one.opens_at).year == year]
    queries.all_counts(session, reports, [])
    return reports[::-1]


@bp.get("/jaren.csv")
@public
def figures_file() -> Response:
    """All years as a file, masked as the pages are."""
    session = db.session()
    areas = list_areas(session)
    found: list[Year] = years(session, areas)
    return csv_answer(csv_files.written(csv_files.of_years(found, areas)), _("jaarcijfers"))
