# SPDX-License-Identifier: EUPL-1.2
"""How a round goes, for the coordinator and for each wijkregisseur in the own districts; and its closing report."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.areas.states import AreaLevel
from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.reports import charts, csv_files, desk_queries
from abs_platform.reports.closing import ClosingReport, closing_report
from abs_platform.reports.publishing import View, by_area, look_at
from abs_platform.reports.queries import RoundReport, count_round, rounds, together
from abs_platform.reports.routes import ID, csv_answer
from abs_platform.reports.schemas import read_round
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import Role, User

bp = Blueprint("reports_desk", __name__)

EARLIER_CURVES = 2


@bp.get(f"/beheer/rondes/<{ID}:round_id>/cijfers")
@staff_required(Role.COORDINATOR)
def of_round(round_id: int) -> str:
    """How a round goes in the whole municipality."""
    return _page(look_at(db.session(), round_id, with_before=True), None)


@bp.get("/regie/cijfers")
@staff_required(Role.DISTRICT_MANAGER)
def of_districts() -> str:
    """How a round goes in the districts of a wijkregisseur: those she works for now."""
    session = db.session()
    view = look_at(session, read_round(request.args), with_before=True)
    return _page(view, _own_districts(signed_in_user(), view))


def _own_districts(user: User, view: View) -> frozenset[int]:
    """The districts of a desk; who holds the whole municipality has all of them."""
    districts = frozenset(area.id for area in view.areas if area.level == AreaLevel.DISTRICT)
    own = user.desk_area_ids & districts
    towns = {area.id for area in view.areas if area.level == AreaLevel.MUNICIPALITY}
    return districts if user.desk_area_ids & towns else own


def _page(view: View, own: frozenset[int] | None) -> str:
    session, chosen, now = db.session(), view.chosen, clock.now()
    if chosen is None:
        return render_template("reports/no_round.html", own=own)
    published = view.published(chosen)
    before = view.published(view.before) if view.before else []
    silent = desk_queries.silent(session, view, published, before)
    curves = _curves(view, own)
    mine = [one for one in published if own is None or one.area.id in own]
    return render_template(
        "reports/round.html",
        reports=view.reports,
        chosen=chosen,
        crumbs=_crumbs(chosen) if own is None else [],
        before=view.before,
        used_before={one.area.id: one.used for one in before}
        | {one.area.id: one.used for district in before for one in district.neighbourhoods},
        districts=mine,
        own=own,
        post=desk_queries.post(session, chosen.id, view.areas),
        post_totals=desk_queries.post_totals(session, chosen.id) if own is None else None,
        silent=[one for one in silent if own is None or one.district.id in own],
        too_early=chosen.totals.given < desk_queries.LEAST_GIVEN,
        rule=desk_queries,
        pieces=charts.pieces(chosen.totals, chosen),
        width=charts.BAR_WIDTH,
        picture=charts.curve_picture(curves),
        geometry=charts,
        curves=curves,
        weekly=charts.weekly(curves),
        now=now,
    )


def _curves(view: View, own: frozenset[int] | None) -> list[desk_queries.Curve]:
    """The curves of this round and of those before it, as far as their letters in these districts are known."""
    chosen = view.chosen
    if chosen is None:
        return []
    if own is None:
        place = view.reports.index(chosen)
        reports = view.reports[place : place + 1 + EARLIER_CURVES]
        letters = {one.id: one.totals.letters for one in reports}
    else:
        reports = [one for one in (chosen, view.before) if one is not None and not one.is_final]
        letters = {
            one.id: together(
                total for area_id, total in by_area(view.counted[one.id], view.areas).items() if area_id in own
            ).letters
            for one in reports
        }
    districts = None if own is None else sorted(own)
    return desk_queries.curves(db.session(), reports, letters, districts, clock.now())


@bp.get(f"/beheer/rondes/<{ID}:round_id>/slot")
@staff_required(Role.COORDINATOR)
def closing(round_id: int) -> str:
    """Where every euro of a round is."""
    found = _closing(round_id)
    return render_template("reports/closing.html", closing=found, crumbs=_crumbs(found.report), now=clock.now())


@bp.get(f"/beheer/rondes/<{ID}:round_id>/slot.csv")
@staff_required(Role.COORDINATOR)
def closing_file(round_id: int) -> Response:
    """The same as a file."""
    found = _closing(round_id)
    return csv_answer(csv_files.written(csv_files.closing(found)), f"{_('slotrapport')}-{round_id}")


def _crumbs(report: RoundReport) -> list[tuple[str, str]]:
    """The way back: all rounds, and this one."""
    return [
        (url_for("pages.coordination"), _("Beheer")),
        (url_for("rounds_desk.index"), _("Rondes")),
        (url_for("rounds_desk.show", round_id=report.id), report.name),
    ]


def _closing(round_id: int) -> ClosingReport:
    session = db.session()
    report = next((one for one in rounds(session) if one.id == round_id), None)
    if report is None:
        raise NotFound(_("Van deze ronde is er geen slotrapport: er zijn nog geen vouchers uitgegeven."))
    return closing_report(session, report, together(count_round(session, round_id).values()))
