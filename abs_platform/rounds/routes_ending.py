# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's steps in two pages with exact figures: closing early, more time, and the budget of a year."""

from __future__ import annotations

from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.form_input import errors_of, load
from abs_platform.money import format_euros
from abs_platform.rounds.budgeting import set_budget, year_view
from abs_platform.rounds.ending import check_extension, close_early, extend_round, would_expire
from abs_platform.rounds.models import Round
from abs_platform.rounds.queries import RoundPage
from abs_platform.rounds.routes_beheer import ID, Answer, Errors, bp, find_page, form_errors, to_round
from abs_platform.rounds.routes_steps import step_page
from abs_platform.rounds.schemas import BudgetForm, ExtendForm, ReasonForm, check_typed_name
from abs_platform.security import current_actor, staff_required
from abs_platform.templating import number
from abs_platform.users import Role

__all__ = ["bp"]


@bp.get(f"/<{ID}:round_id>/sluiten")
@staff_required(Role.COORDINATOR)
def ask_close(round_id: int) -> str:
    """How many vouchers would end, and what would go back."""
    return _close_page(find_page(round_id), {})


@bp.post(f"/<{ID}:round_id>/sluiten")
@staff_required(Role.COORDINATOR)
def close(round_id: int) -> Answer:
    """Close a round before its time."""
    page = find_page(round_id)
    db.session.rollback()
    try:
        form = load(ReasonForm(), request.form)
        check_typed_name(request.form.get("typed", ""), page.name)
        with transaction() as session:
            ended = close_early(session, round_id, reason=form["reason"], actor=current_actor(), now=clock.now())
    except (InvalidInput, Conflict) as error:
        return _close_page(page, errors_of(error)), int(error.status)
    flash(
        ngettext(
            "De ronde is gesloten. %(count)s voucher is verlopen, %(amount)s gaat terug naar het budget.",
            "De ronde is gesloten. %(count)s vouchers zijn verlopen, %(amount)s gaat terug naar het budget.",
            ended.vouchers,
            count=number(ended.vouchers),
            amount=format_euros(ended.amount_cents),
        )
    )
    return to_round(round_id)


@bp.get(f"/<{ID}:round_id>/verlengen")
@staff_required(Role.COORDINATOR)
def ask_extend(round_id: int) -> str:
    """Until when it goes on."""
    page = find_page(round_id)
    if not page.can_extend(clock.now()):
        raise Conflict(_("Deze ronde is niet (meer) uitgegeven. Je kunt haar niet verlengen."))
    return step_page("extend", page, {}, closes_on=None)


@bp.post(f"/<{ID}:round_id>/verlengen")
@staff_required(Role.COORDINATOR)
def extend(round_id: int) -> Answer:
    """Look at both days, then let a round close later."""
    page, now = find_page(round_id), clock.now()
    try:
        form = load(ExtendForm(), request.form)
        closes_at = clock.end_of_day(form["closes_on"])
        if request.form.get("sure") != "1":
            check_extension(db.session(), db.session().get_one(Round, round_id), closes_at, now)
            return step_page("extend", page, {}, closes_on=form["closes_on"])
        db.session.rollback()
        with transaction() as session:
            extend_round(session, round_id, closes_at, reason=form["reason"], actor=current_actor(), now=now)
    except (InvalidInput, Conflict) as error:
        return step_page("extend", page, form_errors(error), closes_on=None), int(error.status)
    flash(_("De ronde gaat langer door."))
    return to_round(round_id)


@bp.get("/budget/<int(max=2100):year>")
@staff_required(Role.COORDINATOR)
def ask_budget(year: int) -> str:
    """What the council set aside for a year."""
    return _budget_page(year, {})


@bp.post("/budget/<int(max=2100):year>")
@staff_required(Role.COORDINATOR)
def budget(year: int) -> Answer:
    """Look at old and new, then write it down."""
    try:
        form = load(BudgetForm(), request.form)
        if request.form.get("sure") != "1":
            return _budget_page(year, {}, new_cents=form["amount"])
        with transaction() as session:
            set_budget(session, year, form["amount"], reason=form["reason"], actor=current_actor(), now=clock.now())
    except InvalidInput as error:
        return _budget_page(year, errors_of(error)), int(error.status)
    flash(_("Het budget van %(year)s is opgeslagen.", year=year))
    return redirect(url_for("rounds_desk.index", jaar=year), HTTPStatus.SEE_OTHER)


def _close_page(page: RoundPage, errors: Errors) -> str:
    session, now = db.session(), clock.now()
    if not page.is_open(now):
        if errors:
            return step_page("close", page, errors, expiring=None)
        raise Conflict(_("Deze ronde is nu niet open. Je kunt haar niet sluiten."))
    return step_page("close", page, errors, expiring=would_expire(session, session.get_one(Round, page.id), now))


def _budget_page(year: int, errors: Errors, new_cents: int | None = None) -> str:
    if year < 2000:
        raise InvalidInput(_("Kies een jaar vanaf 2000."))
    typed = {name: request.form.get(name, "") for name in ("amount", "reason")}
    view = year_view(db.session(), year)
    return render_template(
        "rounds_desk/budget.html", year=year, budget=view, typed=typed, new_cents=new_cents, errors=errors
    )
