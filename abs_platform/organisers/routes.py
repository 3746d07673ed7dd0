# SPDX-License-Identifier: EUPL-1.2
"""The page from which organisers carry their initiative: where it stands, what comes next, and what came in."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.accountability.permissions import can_begin
from abs_platform.accountability.queries import find as find_account
from abs_platform.database import db, transaction
from abs_platform.errors import NotFound
from abs_platform.help_offers.queries import count_waiting
from abs_platform.initiatives.permissions import can_edit, can_withdraw
from abs_platform.initiatives.queries import card
from abs_platform.initiatives.service import start
from abs_platform.initiatives.states import InitiativeState
from abs_platform.initiatives.subjects import subject_for
from abs_platform.moderation.promises import promise_of
from abs_platform.organisers import queries
from abs_platform.organisers.permissions import can_open_home, can_see_income
from abs_platform.payouts.permissions import can_request, can_see_own
from abs_platform.payouts.queries import latest_state
from abs_platform.questions.queries import count_unanswered
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import current_actor, resident_required, signed_in_user
from abs_platform.updates.queries import thanks_of
from abs_platform.updates.states import THANKING_STATES

ID = "int(max=9223372036854775807)"
bp = Blueprint("organisers", __name__, url_prefix=f"/account/initiatieven/<{ID}:initiative_id>")


@bp.get("")
@resident_required
def home(initiative_id: int) -> str:
    """Where it stands, what we promised, what comes next, and the way to everything else."""
    session, user, today = db.session(), signed_in_user(), clock.today()
    subject = subject_for(session, initiative_id, user, can_open_home)
    days = current_rules().answer_working_days
    may_account = subject.state in {InitiativeState.IN_PROGRESS, InitiativeState.REALISED}
    return render_template(
        "organisers/home.html",
        subject=subject,
        initiative=card(session, initiative_id, today=today),
        promise=promise_of(session, initiative_id, now=clock.now(), days=days),
        offers_waiting=count_waiting(session, initiative_id),
        questions_waiting=count_unanswered(session, initiative_id),
        thanks=thanks_of(session, initiative_id),
        can_thank=subject.state in THANKING_STATES,
        can_edit=can_edit(user, subject),
        can_withdraw=can_withdraw(user, subject),
        can_begin=can_begin(user, subject),
        account=find_account(session, initiative_id) if may_account else None,
        has_money=can_see_own(user, subject),
        can_request=can_request(user, subject),
        payout_state=latest_state(session, initiative_id),
    )


@bp.get("/opbrengst")
@resident_required
def income(initiative_id: int) -> str:
    """What came in: how much, how and when; never by whom."""
    session = db.session()
    subject = subject_for(session, initiative_id, signed_in_user(), can_see_income)
    return render_template(
        "organisers/income.html",
        subject=subject,
        initiative=card(session, initiative_id, today=clock.today()),
        income=queries.income(session, initiative_id),
    )


@bp.get("/beginnen")
@resident_required
def ask_begin(initiative_id: int) -> str:
    """What beginning means, and the button."""
    subject = subject_for(db.session(), initiative_id, signed_in_user(), can_see_income)
    return render_template("organisers/begin.html", subject=subject, can_begin=can_begin(signed_in_user(), subject))


@bp.post("/beginnen")
@resident_required
def begin(initiative_id: int) -> Response:
    """They begin. Raises: NotFound when the money is not there."""
    subject = subject_for(db.session(), initiative_id, signed_in_user(), can_see_income)
    if subject.state == InitiativeState.IN_PROGRESS:
        flash(_("Jullie zijn al begonnen."))
    elif not can_begin(signed_in_user(), subject):
        raise NotFound(_("Beginnen kan als het bedrag binnen is."))
    else:
        with transaction() as session:
            start(session, initiative_id, actor=current_actor(), now=clock.now())
        flash(_("Succes! Op de pagina staat nu dat jullie bezig zijn."))
    return redirect(url_for(".home", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)
