# SPDX-License-Identifier: EUPL-1.2
"""Finance's pages of what initiatives did not spend: who must pay back, and booking what came back."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.subjects import subject_of
from abs_platform.payouts import paybacks
from abs_platform.payouts.permissions import can_book_return
from abs_platform.payouts.returning import book_return
from abs_platform.payouts.schemas import ReturnForm, new_form_key
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import Role

ID = "int(max=9223372036854775807)"
bp = Blueprint("unspent", __name__, url_prefix="/financien/niet-besteed")


@bp.get("")
@staff_required(Role.FINANCE)
def index() -> str:
    """Who must still pay back."""
    return render_template("payouts/unspent_list.html", user=signed_in_user(), due=paybacks.due(db.session()))


@bp.get(f"/<{ID}:initiative_id>")
@staff_required(Role.FINANCE)
def show(initiative_id: int) -> str:
    """What one initiative got, spent and paid back, and the form for what came back now."""
    return _page(initiative_id, {"form_key": new_form_key()}, {})


@bp.post(f"/<{ID}:initiative_id>")
@staff_required(Role.FINANCE)
def book(initiative_id: int) -> str | Response | tuple[str, int]:
    """Book it, once however often the form is sent."""
    user = signed_in_user()
    _may_book(initiative_id)
    try:
        typed = load(ReturnForm(), request.form)
        with transaction() as session:
            is_new = book_return(
                session,
                initiative_id,
                amount_cents=typed["amount"],
                received_on=typed["received_on"],
                note=typed["note"],
                form_key=str(typed["form_key"]),
                user=user,
                now=clock.now(),
            )
    except (InvalidInput, Conflict) as error:
        values = {**request.form, "form_key": request.form.get("form_key") or new_form_key()}
        return _page(initiative_id, values, errors_of(error)), int(error.status)
    flash(_("Geboekt.") if is_new else _("Dit was al geboekt. Er is niets dubbel geboekt."))
    return redirect(url_for(".show", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


def _may_book(initiative_id: int) -> None:
    subject = subject_of(db.session(), initiative_id)
    if not can_book_return(signed_in_user(), subject):
        raise NotAllowed(_("Je organiseert dit initiatief zelf. Een collega boekt dit."))


def _page(initiative_id: int, values: dict[str, str], errors: dict[str, str]) -> str:
    session = db.session()
    _may_book(initiative_id)
    found = paybacks.payback_of(session, initiative_id)
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    return render_template(
        "payouts/unspent_show.html",
        user=signed_in_user(),
        payback=found,
        returns=paybacks.returns_of(session, initiative_id),
        today=clock.today(),
        values=values,
        errors=errors,
    )
