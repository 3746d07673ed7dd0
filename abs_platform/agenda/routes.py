# SPDX-License-Identifier: EUPL-1.2
"""The public agenda: a month at a time, each activity on a page of its own, and calendar files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from abs_platform import clock
from abs_platform.agenda import queries
from abs_platform.agenda.calendars import CONTENT_TYPE, calendar
from abs_platform.agenda.queries import AgendaView
from abs_platform.areas.queries import district_of_slug, district_options, ids_around, list_areas
from abs_platform.clock import start_of_day
from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.outbox import site_url
from abs_platform.security import public

bp = Blueprint("agenda", __name__)

ID = "int(max=9223372036854775807)"
MONTHS_BACK, MONTHS_AHEAD = 12, 24
SOON = 5


@bp.get("/agenda")
@public
def index() -> str:
    """A month of the agenda: this month from today, or another one; of all, or of a district with the whole town."""
    session, now = db.session(), clock.now()
    today = clock.local_date(now)
    this_month = today.replace(day=1)
    month = _asked_month(request.args.get("maand", ""), this_month)
    areas = list_areas(session)
    district = district_of_slug(areas, request.args.get("wijk", ""))
    area_ids = None if district is None else ids_around(areas, district.id)
    start = max(start_of_day(month), now) if month == this_month else start_of_day(month)
    items = queries.between(session, now, start, start_of_day(_moved(month, 1)), area_ids=area_ids)
    soon = [] if items or month != this_month else queries.upcoming(session, now, area_ids=area_ids, limit=SOON)
    return render_template(
        "agenda/index.html",
        items=items,
        soon=soon,
        month=month,
        is_this_month=month == this_month,
        previous=_moved(month, -1) if month > _moved(this_month, -MONTHS_BACK) else None,
        following=_moved(month, 1) if month < _moved(this_month, MONTHS_AHEAD) else None,
        district=district,
        district_options=district_options(areas),
    )


def _asked_month(text: str, this_month: dt.date) -> dt.date:
    """The first day of the month in the address ("2027-05"); this month for what is none, or is too far away."""
    try:
        month = dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        return this_month
    is_near = _moved(this_month, -MONTHS_BACK) <= month <= _moved(this_month, MONTHS_AHEAD)
    return month if is_near else this_month


def _moved(month: dt.date, count: int) -> dt.date:
    """The first day of the month so many months further."""
    years, zero_based = divmod(month.month - 1 + count, 12)
    return dt.date(month.year + years, zero_based + 1, 1)


@bp.get(f"/agenda/<{ID}:item_id>-<slug>")
@bp.get(f"/agenda/<{ID}:item_id>", defaults={"slug": ""})
@public
def show(item_id: int, slug: str) -> str | AnyResponse:
    """One activity; an old or shortened address leads to the one that counts."""
    item = _public_item(item_id)
    if slug != item.slug:
        return redirect(url_for(".show", item_id=item.id, slug=item.slug), 301)
    return render_template("agenda/show.html", item=item, is_over=item.ends_at <= clock.now())


@bp.get(f"/agenda/<{ID}:item_id>.ics")
@public
def item_calendar(item_id: int) -> Response:
    """One activity, for the calendar of who wants to be there."""
    item = _public_item(item_id)
    response = _as_file([item], item.title)
    response.headers["Content-Disposition"] = f'attachment; filename="{item.slug}.ics"'
    return response


@bp.get("/agenda.ics", endpoint="calendar")
@public
def whole_calendar() -> Response:
    """All of the agenda, or of a district with the whole town, for a calendar that follows it."""
    session = db.session()
    areas = list_areas(session)
    district = district_of_slug(areas, request.args.get("wijk", ""))
    area_ids = None if district is None else ids_around(areas, district.id)
    town = current_app.extensions["settings"].municipality
    name = _("Agenda van %(name)s", name=town.name if district is None else district.name)
    return _as_file(queries.calendar_items(session, clock.now(), area_ids=area_ids), name)


def _public_item(item_id: int) -> AgendaView:
    item = queries.public_item(db.session(), item_id, clock.now())
    if item is None:
        raise NotFound(_("Dit staat niet (meer) op de agenda. Kijk op de agenda wat er wel is."))
    return item


def _as_file(items: Sequence[AgendaView], name: str) -> Response:
    host = urlsplit(current_app.extensions["settings"].base_url).hostname or "localhost"
    written = calendar(items, name=name, host=host, address_of=_address_of)
    response = Response(written, content_type=CONTENT_TYPE)
    response.add_etag()
    response.make_conditional(request)
    return response


def _address_of(item: AgendaView) -> str:
    return site_url("agenda.show", item_id=item.id)
