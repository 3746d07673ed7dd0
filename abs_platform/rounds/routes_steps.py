# SPDX-License-Identifier: EUPL-1.2
"""The steps of a round that cannot be taken back: releasing, issuing and cancelling. Its name is typed for each."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, render_template, request
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.form_input import errors_of, load
from abs_platform.rounds.changing import cancel_round
from abs_platform.rounds.dry_run import dry_run
from abs_platform.rounds.queries import RoundPage
from abs_platform.rounds.readiness import release_when_ready
from abs_platform.rounds.routes_beheer import (
    ID,
    Answer,
    Errors,
    bp,
    find_page,
    issue_key,
    list_of_checks,
    to_round,
)
from abs_platform.rounds.schemas import MAX_REASON, ReasonForm, check_typed_name, read_checks
from abs_platform.rounds.states import RoundState
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import current_actor, signed_in_user, staff_required
from abs_platform.users import Role
from abs_platform.work import service as work
from abs_platform.work.states import WorkKind

__all__ = ["bp"]


@bp.get(f"/<{ID}:round_id>/vrijgeven")
@staff_required(Role.COORDINATOR)
def ask_release(round_id: int) -> str:
    """The check list, and the form that says: this may be issued."""
    return _release_page(find_page(round_id), {})


@bp.post(f"/<{ID}:round_id>/vrijgeven")
@staff_required(Role.COORDINATOR)
def release(round_id: int) -> Answer:
    """Release a round."""
    page = find_page(round_id)
    db.session.rollback()
    try:
        check_typed_name(request.form.get("typed", ""), page.name)
        with transaction() as session:
            release_when_ready(
                session,
                round_id,
                key_fingerprint=current_app.extensions["code_keys"].fingerprint,
                rules=current_rules(),
                despite=read_checks(request.form.getlist("despite")),
                reason=request.form.get("reason", "")[:MAX_REASON],
                actor=current_actor(),
                now=clock.now(),
            )
    except (InvalidInput, Conflict) as error:
        return _release_page(page, errors_of(error)), int(error.status)
    flash(_("De ronde is vrijgegeven. De vouchers worden op de dag van uitgifte gemaakt."))
    return to_round(round_id)


@bp.get(f"/<{ID}:round_id>/uitgeven")
@staff_required(Role.COORDINATOR)
def ask_issue(round_id: int) -> str:
    """How many vouchers would be made now."""
    return _issue_page(find_page(round_id), {})


@bp.post(f"/<{ID}:round_id>/uitgeven")
@staff_required(Role.COORDINATOR)
def issue(round_id: int) -> Answer:
    """Order the issue: the job process does it."""
    page = find_page(round_id)
    db.session.rollback()
    try:
        check_typed_name(request.form.get("typed", ""), page.name)
        _check_may_issue(page)
        with transaction() as session:
            work.order(
                session,
                WorkKind.ISSUE_ROUND,
                key=issue_key(round_id),
                params={"round_id": round_id},
                account_id=signed_in_user().account_id,
                now=clock.now(),
            )
    except (InvalidInput, Conflict) as error:
        return _issue_page(page, errors_of(error)), int(error.status)
    flash(_("De uitgifte is gestart. Je mag deze pagina sluiten: het gaat door."))
    return to_round(round_id)


@bp.get(f"/<{ID}:round_id>/annuleren")
@staff_required(Role.COORDINATOR)
def ask_cancel(round_id: int) -> str:
    """What cancelling means."""
    return _cancel_page(find_page(round_id), {})


@bp.post(f"/<{ID}:round_id>/annuleren")
@staff_required(Role.COORDINATOR)
def cancel(round_id: int) -> Answer:
    """Cancel a round that is not issued."""
    page = find_page(round_id)
    db.session.rollback()
    try:
        form = load(ReasonForm(), request.form)
        check_typed_name(request.form.get("typed", ""), page.name)
        with transaction() as session:
            cancel_round(session, round_id, reason=form["reason"], actor=current_actor(), now=clock.now())
    except (InvalidInput, Conflict) as error:
        return _cancel_page(page, errors_of(error)), int(error.status)
    flash(_("De ronde is geannuleerd. De data en de naam zijn weer vrij."))
    return to_round(round_id)


def step_page(template: str, page: RoundPage, errors: Errors, **more: Any) -> str:
    """A page with what a step does, and its form as it was sent when something was wrong."""
    typed = {name: request.form.get(name, "") for name in ("typed", "reason", "closes_on")}
    return render_template(f"rounds_desk/{template}.html", round=page, errors=errors, typed=typed, **more)


def _release_page(page: RoundPage, errors: Errors) -> str:
    if not page.can_change and not errors:
        raise Conflict(_("Deze ronde is al vrijgegeven of voorbij."))
    is_coming = page.state is RoundState.PLANNED
    return step_page(
        "release",
        page,
        errors,
        checks=list_of_checks(page.id) if is_coming else [],
        plan=dry_run(db.session(), page.id, page.amount_cents),
        despite=read_checks(request.form.getlist("despite")),
    )


def _issue_page(page: RoundPage, errors: Errors) -> str:
    if not errors:
        _check_may_issue(page)
    return step_page("issue", page, errors, plan=dry_run(db.session(), page.id, page.amount_cents))


def _check_may_issue(page: RoundPage) -> None:
    if not page.can_issue(clock.now()):
        raise Conflict(_("Deze ronde kan nu niet worden uitgegeven. Kijk of zij is vrijgegeven, en wanneer."))


def _cancel_page(page: RoundPage, errors: Errors) -> str:
    if page.state is not RoundState.PLANNED and not errors:
        raise Conflict(_("Alleen een ronde waarvan nog geen voucher is gemaakt, kun je annuleren."))
    return step_page("cancel", page, errors)
