# SPDX-License-Identifier: EUPL-1.2
"""Exceptions to a rule of the game: the coordinator makes them, also for an idea that was not sent yet."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.form_input import errors_of
from abs_platform.initiatives.states import OverridableRule
from abs_platform.initiatives.subjects import find_subject, subject_of
from abs_platform.initiatives.submitting import count_addresses
from abs_platform.moderation import permissions, queries, schemas, service
from abs_platform.moderation.routes import ID, Answered, rules
from abs_platform.security import signed_in_user, staff_required

bp = Blueprint("exceptions", __name__, url_prefix="/regie")


@bp.get("/uitzonderingen")
@staff_required("coordinator")
def index() -> str | Response:
    """All exceptions that were made, and the way to make one: by the number of an initiative."""
    wanted, errors = request.args.get("nummer", "").strip().removeprefix("#"), {}
    if wanted:
        number = schemas.read_number(wanted)
        if number is not None and find_subject(db.session(), number) is not None:
            return redirect(url_for(".show", initiative_id=number))
        errors = {"nummer": _("Er is geen initiatief met dit nummer.")}
    made = queries.overrides_of(db.session())
    return render_template("moderation/exceptions.html", made=made, wanted=wanted, errors=errors, user=signed_in_user())


@bp.get(f"/initiatieven/<{ID}:initiative_id>/uitzondering")
@staff_required("coordinator")
def show(initiative_id: int) -> str:
    """No more of an idea than it takes to decide: it may still be a draft of its organisers."""
    return _page(initiative_id, {})


@bp.post(f"/initiatieven/<{ID}:initiative_id>/uitzondering")
@staff_required("coordinator")
def make(initiative_id: int) -> Answered:
    """Set a rule aside, with a reason."""
    user = signed_in_user()
    reason = schemas.plain_text(request.form.get("reason", ""))
    try:
        rule = schemas.read_rule(request.form)
        with transaction() as session:
            service.set_aside(session, initiative_id, rule, reason, user=user, now=clock.now())
    except (InvalidInput, Conflict) as error:
        return _page(initiative_id, errors_of(error)), int(error.status)
    flash(_("De uitzondering is gemaakt. De organisatoren hebben er een mail over gekregen."))
    return redirect(url_for(".show", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


def _page(initiative_id: int, errors: dict[str, str]) -> str:
    session, user = db.session(), signed_in_user()
    subject = subject_of(session, initiative_id)
    made = queries.overrides_of(session, initiative_id)
    done = {override.rule for override in made}
    return render_template(
        "moderation/exception.html",
        subject=subject,
        initiative=queries.initiative_of(session, initiative_id),
        organisers=queries.organisers_of(session, initiative_id),
        addresses=count_addresses(session, initiative_id),
        made=made,
        choices=[rule for rule in OverridableRule if rule not in done],
        may=permissions.can_set_rule_aside(user, subject),
        may_open=permissions.can_open(user, subject) and subject.desk_area_id is not None,
        typed={"rule": request.form.get("rule", ""), "reason": request.form.get("reason", "")},
        errors=errors,
        rules=rules(),
    )
