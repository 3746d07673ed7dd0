# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's rounds: the year on one page, planning one, looking at one, and what issuing it would do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of, load
from abs_platform.rounds import queries
from abs_platform.rounds.budgeting import year_view
from abs_platform.rounds.changing import change_plan
from abs_platform.rounds.dry_run import dry_run
from abs_platform.rounds.planning import calendar_of, next_plan
from abs_platform.rounds.queries import RoundPage
from abs_platform.rounds.readiness import Check, checks
from abs_platform.rounds.schemas import FIELD_OF, PlanForm, plan_of
from abs_platform.rounds.service import plan_round
from abs_platform.rounds.states import RoundState
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import current_actor, staff_required
from abs_platform.users import Role
from abs_platform.work import queries as work
from abs_platform.work.states import WorkKind

bp = Blueprint("rounds_desk", __name__, url_prefix="/beheer/rondes")

ID = "int(max=9223372036854775807)"
Answer = str | Response | tuple[str, int]
Errors = dict[str, str]
# Pages about one round that other features have, with what they are called here.
MORE_PAGES = (
    ("letters_desk.index", _l("Brieven")),
    ("reports_desk.of_round", _l("Cijfers")),
    ("reports_desk.closing", _l("Slotrapport")),
)


@bp.get("")
@staff_required(Role.COORDINATOR)
def index() -> str:
    """A year: its rounds on a calendar and in a table, and its budget beside them."""
    session, now = db.session(), clock.now()
    year = read_year(request.args.get("jaar", ""), now)
    rows = queries.rounds_of_year(session, year)
    return render_template(
        "rounds_desk/index.html",
        year=year,
        rows=rows,
        bars=calendar_of(rows, year),
        budget=year_view(session, year),
        today=clock.local_date(now),
        now=now,
    )


@bp.get("/nieuw")
@staff_required(Role.COORDINATOR)
def new() -> str:
    """A round like the last one, half a year on."""
    session = db.session()
    values = next_plan(session, current_rules().voucher_amount_cents, clock.today())
    return _plan_page(None, values, values["districts"], {})


@bp.post("/nieuw")
@staff_required(Role.COORDINATOR)
def add() -> Answer:
    """Plan a round."""
    districts = request.form.getlist("districts")
    try:
        plan = plan_of(load(PlanForm(), request.form), districts)
        with transaction() as session:
            round_id = plan_round(
                session,
                name=plan.name,
                issue_on=plan.issue_on,
                opens_at=plan.opens_at,
                closes_at=plan.closes_at,
                amount_cents=plan.amount_cents,
                districts=plan.districts,
                rules=current_rules(),
                actor=current_actor(),
                now=clock.now(),
            ).id
    except (InvalidInput, Conflict) as error:
        return _plan_page(None, request.form, districts, form_errors(error)), int(error.status)
    flash(_("De ronde is gepland. Werk nu de controlelijst af."))
    return to_round(round_id)


@bp.get(f"/<{ID}:round_id>")
@staff_required(Role.COORDINATOR)
def show(round_id: int) -> str:
    """Where a round stands, what must be put right, and what can be done."""
    session, now = db.session(), clock.now()
    page = find_page(round_id)
    is_coming = page.state is RoundState.PLANNED
    return render_template(
        "rounds_desk/show.html",
        round=page,
        checks=list_of_checks(round_id) if is_coming else [],
        plan=dry_run(session, round_id, page.amount_cents) if is_coming else None,
        order=work.latest(session, WorkKind.ISSUE_ROUND, issue_key(round_id)),
        pages=more_pages(round_id) if page.state in {RoundState.ISSUED, RoundState.CLOSED} else [],
        settles_on=clock.local_date(page.closed_at) + dt.timedelta(days=current_rules().settled_after_days)
        if page.closed_at
        else None,
        now=now,
    )


@bp.get(f"/<{ID}:round_id>/wijzigen")
@staff_required(Role.COORDINATOR)
def edit(round_id: int) -> Answer:
    """The plan of a round, to change it."""
    page = find_page(round_id)
    if not page.can_change:
        raise Conflict(_("Deze ronde is al vrijgegeven of voorbij. Je kunt haar niet meer wijzigen."))
    values = {
        "name": page.name,
        "issue_on": page.issue_on.isoformat(),
        "opens_on": clock.local_date(page.opens_at).isoformat(),
        "closes_on": page.last_day.isoformat(),
        "amount": f"{page.amount_cents // 100},{page.amount_cents % 100:02d}",
    }
    return _plan_page(page, values, queries.district_codes(db.session(), round_id), {})


@bp.post(f"/<{ID}:round_id>/wijzigen")
@staff_required(Role.COORDINATOR)
def change(round_id: int) -> Answer:
    """Change it."""
    page, districts = find_page(round_id), request.form.getlist("districts")
    db.session.rollback()
    try:
        plan = plan_of(load(PlanForm(), request.form), districts)
        with transaction() as session:
            changed = change_plan(
                session, round_id, plan, rules=current_rules(), actor=current_actor(), now=clock.now()
            )
    except (InvalidInput, Conflict) as error:
        return _plan_page(page, request.form, districts, form_errors(error)), int(error.status)
    flash(_("De ronde is gewijzigd.") if changed else _("Dit stond er al zo."))
    return to_round(round_id)


@bp.get(f"/<{ID}:round_id>/proef")
@staff_required(Role.COORDINATOR)
def try_out(round_id: int) -> str:
    """What issuing would do now, by district and neighbourhood. Nothing is written."""
    page = find_page(round_id)
    if page.state is RoundState.CANCELLED:
        raise Conflict(_("Deze ronde is geannuleerd. Er komen geen vouchers."))
    plan = dry_run(db.session(), round_id, page.amount_cents)
    return render_template("rounds_desk/dry_run.html", round=page, plan=plan, now=clock.now())


def find_page(round_id: int) -> RoundPage:
    """A round. Raises: NotFound."""
    found = queries.round_page(db.session(), round_id)
    if found is None:
        raise NotFound(_("Deze ronde bestaat niet."))
    return found


def list_of_checks(round_id: int) -> list[Check]:
    """The check list of a round, as it is now."""
    keys = current_app.extensions["code_keys"]
    return checks(db.session(), round_id, key_fingerprint=keys.fingerprint, rules=current_rules(), now=clock.now())


@bp.app_template_global("check_link")
def check_link(check: Check, page: RoundPage) -> str | None:
    """Where a check is put right, if that page is there."""
    if check.link not in current_app.view_functions:
        return None
    own: dict[str, Any] = {
        "rounds_desk.edit": {"round_id": page.id},
        "rounds_desk.ask_budget": {"year": page.issue_on.year},
    }
    return url_for(check.link, **own.get(check.link, {}))


def more_pages(round_id: int) -> list[tuple[str, str]]:
    """What other features show of a round: address and label."""
    there = current_app.view_functions
    return [(url_for(endpoint, round_id=round_id), str(label)) for endpoint, label in MORE_PAGES if endpoint in there]


def issue_key(round_id: int) -> str:
    """The key of the work order that issues a round."""
    return f"round:{round_id}:"


def to_round(round_id: int) -> Response:
    """On to the page of a round."""
    return redirect(url_for("rounds_desk.show", round_id=round_id), HTTPStatus.SEE_OTHER)


def form_errors(error: AbsError) -> Errors:
    """The sentences of a refusal beside the fields of the form."""
    return {FIELD_OF.get(name, name): sentence for name, sentence in errors_of(error).items()}


def read_year(typed: str, now: dt.datetime) -> int:
    """The year that was asked for, else this one."""
    if typed.isascii() and typed.isdecimal() and len(typed) == 4 and 2000 <= int(typed) <= 2100:
        return int(typed)
    return clock.local_date(now).year


def _plan_page(page: RoundPage | None, values: Mapping[str, Any], districts: list[str], errors: Errors) -> str:
    counts = queries.count_by_district(db.session())
    return render_template(
        "rounds_desk/plan.html",
        round=page,
        values=values,
        counts=counts,
        chosen=set(districts),
        addresses=sum(one.addresses for one in counts if one.code in districts),
        errors=errors,
        most_cents=current_rules().max_voucher_amount_cents,
    )
