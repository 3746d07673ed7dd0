# SPDX-License-Identifier: EUPL-1.2
"""The desk's one screen for an accountability: look at it, approve it, or return it with what is missing."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform.accountability import deciding, queries
from abs_platform.accountability.permissions import can_review, can_see_receipts
from abs_platform.accountability.queries import Account
from abs_platform.accountability.routes import who
from abs_platform.accountability.routes_costs import receipt_file
from abs_platform.accountability.schemas import RemarkForm
from abs_platform.accountability.states import AccountabilityState
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.subjects import subject_for
from abs_platform.security import signed_in_user, staff_required

ID = "int(max=9223372036854775807)"
bp = Blueprint("accountability_regie", __name__, url_prefix="/regie/verantwoording")


@bp.get(f"/<{ID}:initiative_id>")
@staff_required("district_manager")
def review(initiative_id: int) -> str:
    """All of it, planned beside real, with the receipts."""
    return _page(_sent(initiative_id), {}, {})


@bp.post(f"/<{ID}:initiative_id>")
@staff_required("district_manager")
def decide(initiative_id: int) -> str | Response | tuple[str, int]:
    """Approve it, or return it with what is missing."""
    _sent(initiative_id)
    seen = request.form.get("seen", "")
    try:
        if request.form.get("decision") == "approve":
            secret_key = current_app.extensions["settings"].secret_key
            with transaction() as session:
                deciding.approve(session, initiative_id, seen=seen, secret_key=secret_key, **who())
            flash(_("Goedgekeurd. Het initiatief is nu gelukt, en iedereen die nieuws wilde krijgt een mail."))
        else:
            remark = load(RemarkForm(), request.form)["remark"]
            with transaction() as session:
                deciding.send_back(session, initiative_id, remark, seen=seen, **who())
            flash(_("Teruggestuurd. De organisatoren krijgen een mail met wat er mist."))
    except (InvalidInput, Conflict) as error:
        return _page(_sent(initiative_id), request.form, errors_of(error)), int(error.status)
    return redirect(url_for(".review", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


@bp.get(f"/<{ID}:initiative_id>/bonnen/<{ID}:picture_id>")
@staff_required("district_manager", "finance")
def receipt(initiative_id: int, picture_id: int) -> Response:
    """A receipt itself, for its desk and for finance."""
    subject_for(db.session(), initiative_id, signed_in_user(), can_see_receipts)
    _ever_sent(initiative_id)
    return receipt_file(initiative_id, picture_id)


def _sent(initiative_id: int) -> Account:
    """What was ever sent: a draft is the organisers' own."""
    subject_for(db.session(), initiative_id, signed_in_user(), can_review)
    return _ever_sent(initiative_id)


def _ever_sent(initiative_id: int) -> Account:
    found = queries.find(db.session(), initiative_id)
    if found is None or found.submitted_at is None:
        raise NotFound(_("Er is nog geen verantwoording ingediend."))
    return found


def _page(account: Account, values: object, errors: dict[str, str]) -> str:
    is_waiting = account.state == AccountabilityState.SUBMITTED
    return render_template(
        "accountability/review.html", account=account, is_waiting=is_waiting, values=values, errors=errors
    )
