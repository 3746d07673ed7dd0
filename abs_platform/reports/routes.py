# SPDX-License-Identifier: EUPL-1.2
"""The public figures: all years in short, what became of the vouchers of each round, and the seals."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, render_template
from sqlalchemy.orm import Session

from abs_platform.areas.queries import AreaRow, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.database import db
from abs_platform.reports import charts, csv_files, queries, year_charts
from abs_platform.reports.publishing import look_at, publish
from abs_platform.reports.states import ALL_YEARS, SOURCES, TOLD, Figure
from abs_platform.reports.years import years
from abs_platform.security import public

bp = Blueprint("reports", __name__)

ID = "int(max=9223372036854775807)"


@bp.get("/cijfers")
@public
def index() -> str:
    """All years together, the newest round, and all others beside it."""
    return _page(db.session(), None)


@bp.get(f"/cijfers/<{ID}:round_id>")
@public
def show(round_id: int) -> str:
    """One round."""
    return _page(db.session(), round_id)


def _page(session: Session, round_id: int | None) -> str:
    view = look_at(session, round_id)
    chosen = view.chosen
    if chosen is None:
        return render_template("reports/none.html")
    return render_template(
        "reports/index.html",
        reports=view.reports,
        chosen=chosen,
        pieces=charts.pieces(chosen.totals, chosen),
        batches=queries.batches(session, [chosen.id])[chosen.id],
        money=queries.money_beside(session, chosen),
        districts=view.published(chosen),
        width=charts.BAR_WIDTH,
        **(all_years(session, view.areas) if round_id is None else {"altogether": None}),
    )


@bp.get("/cijfers.csv")
@public
def figures_file() -> Response:
    """All rounds as a file, masked as the pages are."""
    session = db.session()
    reports = queries.rounds(session)
    counted = queries.all_counts(session, reports, [one.id for one in reports])
    areas = list_areas(session)
    town = next((area for area in areas if area.level == AreaLevel.MUNICIPALITY), None)
    name = (town.code, town.name) if town else ("", current_app.extensions["settings"].municipality.name)
    rounds = [(one, publish(counted[one.id], areas, is_final=one.is_final)) for one in reports]
    return csv_answer(csv_files.written(csv_files.figures(name, rounds)), "cijfers")


def words() -> dict[str, Any]:
    """What every page of years needs to name figures."""
    return {
        "Figure": Figure,
        "sources": SOURCES,
        "sources_legend": [(source.value.removesuffix("_cents"), source.label) for source in SOURCES],
        "year_rows": TOLD,
    }


def all_years(session: Session, areas: list[AreaRow]) -> dict[str, Any]:
    """What the page of figures shows of all years; nothing before something was counted."""
    found = years(session, areas)
    altogether = next((one for one in found if one.year == ALL_YEARS), None)
    if altogether is None:
        return {"altogether": None}
    each = [one for one in found if one.year != ALL_YEARS]
    return {
        "altogether": altogether,
        "all_years": [*each, altogether],
        "money_bars": year_charts.money_bars(each),
        "initiative_bars": year_charts.initiative_bars(each),
        "district_bars": year_charts.district_bars(altogether),
        **words(),
    }


def csv_answer(content: str, name: str) -> Response:
    """A file for a spreadsheet, to be saved."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Robots-Tag": "noindex"}
    return Response(content, mimetype="text/csv", headers=headers)
