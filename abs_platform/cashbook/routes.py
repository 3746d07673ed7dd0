# SPDX-License-Identifier: EUPL-1.2
"""The public books: of the whole platform, of each initiative, of all accounts, as pages, files and a picture."""

from __future__ import annotations

import datetime as dt
from itertools import product
from typing import Any

from babel.dates import format_date
from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.cashbook import charts, csv_files, queries, totals
from abs_platform.cashbook.schemas import Filters, read_filters
from abs_platform.cashbook.states import MEANINGS, OF_ONE_INITIATIVE, SENTENCES, Phase, Sort, sentence
from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.initiatives.queries import InitiativeCard, card
from abs_platform.ledger.states import Account
from abs_platform.security import public

bp = Blueprint("cashbook", __name__)

ID = "int(max=9223372036854775807)"
MONTHS_SHOWN = 24


@bp.get("/kasboek")
@public
def index() -> str:
    """Every movement of the whole platform."""
    session = db.session()
    chosen, after = read_filters(request.args)
    filters = queries.with_phase(session, chosen)
    return render_template(
        "cashbook/index.html",
        page=queries.movements(session, filters, after),
        # What it adds up to stands on the first page only: it is the dearest question of all.
        sums=totals.sums(session, filters) if after is None else None,
        filters=filters,
        round_name=_round_name(session, filters),
        period_options=_period_options(totals.first_booked_on(session)),
        sort_options=[(sort.value, sort.label) for sort in Sort],
        phase_options=[(phase.value, phase.label) for phase in Phase],
        is_first_page=after is None,
    )


@bp.get("/kasboek.csv")
@public
def index_file() -> Response:
    """The same as a file."""
    session = db.session()
    chosen, _after = read_filters(request.args)
    filters = queries.with_phase(session, chosen)
    _round_name(session, filters)
    return _file(filters, _("kasboek"))


@bp.get("/kasboek/rekeningen")
@public
def accounts() -> str:
    """What each account holds and means; together they are nothing."""
    session = db.session()
    sums = totals.sums(session, Filters())
    balances = {account: sums.of(account) for account in Account}
    return render_template(
        "cashbook/accounts.html",
        accounts=[(account, *map(str, MEANINGS[account]), cents) for account, cents in balances.items()],
        sum_cents=sum(balances.values()),
        last_check=totals.last_check(session),
    )


@bp.get("/kasboek/waar-bleef-het-geld")
@public
def flow() -> str:
    """Where the money came from and where it is, as a picture and a table."""
    session = db.session()
    found = charts.flow(totals.sums(session, Filters()), totals.round_sums(session), totals.phase_sums(session))
    return render_template(
        "cashbook/flow.html",
        flow=found,
        picture=charts.draw(found),
        source_stripes=charts.stripes(found.sources),
        destination_stripes=charts.stripes(found.destinations),
        geometry=charts,
        last_check=totals.last_check(session),
        today=clock.today(),
    )


@bp.get(f"/initiatieven/<{ID}:initiative_id>-<slug>/kasboek")
@public
def of_initiative(initiative_id: int, slug: str) -> str | Response:
    """The book of one initiative; an old address leads to the one that counts."""
    session = db.session()
    found = _published(session, initiative_id)
    filters, after = _of_initiative(initiative_id)
    if slug != found.slug:
        return _moved(".of_initiative", found, filters)
    return render_template(
        "cashbook/initiative.html",
        initiative=found,
        page=queries.movements(session, filters, after),
        sums=totals.sums(session, Filters(initiative_id=initiative_id)),
        filters=filters,
        period_options=_period_options(totals.first_booked_on(session)),
        sort_options=[(sort.value, sort.label) for sort in OF_ONE_INITIATIVE],
        is_first_page=after is None,
    )


@bp.get(f"/initiatieven/<{ID}:initiative_id>-<slug>/kasboek.csv")
@public
def file_of_initiative(initiative_id: int, slug: str) -> Response:
    """The same as a file."""
    found = _published(db.session(), initiative_id)
    filters, _after = _of_initiative(initiative_id)
    if slug != found.slug:
        return _moved(".file_of_initiative", found, filters)
    return _file(filters, f"{_('kasboek')}-{initiative_id}")


def _moved(endpoint: str, initiative: InitiativeCard, filters: Filters) -> Response:
    """An old or shortened address leads to the one that counts, with what was chosen."""
    choice: dict[str, Any] = filters.in_address
    return redirect(url_for(endpoint, initiative_id=initiative.id, slug=initiative.slug, **choice), 301)


def _published(session: Session, initiative_id: int) -> InitiativeCard:
    """An initiative that was ever published. Raises: NotFound."""
    found = card(session, initiative_id, today=clock.today())
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer). Zoek verder bij de initiatieven."))
    return found


def _of_initiative(initiative_id: int) -> tuple[Filters, Any]:
    """The choices in a book of one initiative: a phase or a round is no choice there."""
    chosen, after = read_filters(request.args)
    return Filters(chosen.period, chosen.sort, initiative_id=initiative_id), after


def _round_name(session: Session, filters: Filters) -> str | None:
    """What the chosen round is called. Raises: NotFound."""
    if filters.round_id is None:
        return None
    name = totals.round_name(session, filters.round_id)
    if name is None:
        raise NotFound(_("Deze voucherronde bestaat niet. Kijk verder in het hele kasboek."))
    return name


def _file(filters: Filters, name: str) -> Response:
    sentences = {
        (kind, is_organisation): sentence(kind, of_organisation=is_organisation)
        for kind, is_organisation in product(SENTENCES, (False, True))
    }
    movements = queries.all_movements(db.engine, filters, clock.now())
    parts = "-".join(filter(None, (name, *filters.in_address.values())))
    return Response(
        csv_files.pieces(movements, sentences, _("anoniem")),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{parts}.csv"', "X-Robots-Tag": "noindex"},
    )


def _period_options(first: dt.datetime | None) -> list[tuple[str, str]]:
    """All years since the books began, and the last months, newest first."""
    if first is None:
        return []
    begin, today = clock.local_date(first), clock.today()
    months = range(today.year * 12 + today.month - 1, begin.year * 12 + begin.month - 2, -1)
    days = [dt.date(number // 12, number % 12 + 1, 1) for number in list(months)[:MONTHS_SHOWN]]
    years = [(str(year), _("heel %(year)s", year=year)) for year in range(today.year, begin.year - 1, -1)]
    return years + [(f"{day:%Y-%m}", format_date(day, "LLLL y", locale=get_locale() or "nl")) for day in days]
