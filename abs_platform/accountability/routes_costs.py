# SPDX-License-Identifier: EUPL-1.2
"""The organisers' pages for what it really cost: line by line, with the receipts."""

from __future__ import annotations

from contextlib import nullcontext
from http import HTTPStatus

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from abs_platform.accountability import queries, service
from abs_platform.accountability.permissions import can_account
from abs_platform.accountability.queries import Account, Cost
from abs_platform.accountability.routes import (
    Answer,
    Refusals,
    bp,
    count_upload,
    own_account,
    refuse_unless_writable,
    sent_file,
    to,
    who,
)
from abs_platform.accountability.schemas import CostForm, NewCostForm
from abs_platform.accountability.service import CostInput
from abs_platform.accountability.states import MAX_FILE_NAME
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, NotFound
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.subjects import subject_for
from abs_platform.media.keeping import kept_receipt, read_private
from abs_platform.rich_text import without_unseen
from abs_platform.security import resident_required, signed_in_user
from abs_platform.uploads import accepts_upload

ID = "int(max=9223372036854775807)"
__all__ = ["bp", "receipt_file"]


@bp.get("/kosten")
@resident_required
def costs(initiative_id: int) -> str:
    """What was planned beside what it cost, line by line."""
    return render_template("accountability/costs.html", account=own_account(initiative_id))


@bp.get("/kosten/nieuw")
@resident_required
def new_cost(initiative_id: int) -> str:
    """A cost that was not in the budget."""
    return _cost_page(own_account(initiative_id), None, {}, {})


@bp.post("/kosten/nieuw")
@resident_required
@accepts_upload
def add_cost(initiative_id: int) -> Answer:
    """Keep it."""
    return _save_cost(own_account(initiative_id), None)


@bp.get(f"/kosten/<{ID}:position>")
@resident_required
def cost(initiative_id: int, position: int) -> str:
    """One line: what it cost, and its receipts."""
    account = own_account(initiative_id)
    return _cost_page(account, _line(account, position), {}, {})


@bp.post(f"/kosten/<{ID}:position>")
@resident_required
@accepts_upload
def save_cost(initiative_id: int, position: int) -> Answer:
    """Keep it, with the receipt that came along."""
    account = own_account(initiative_id)
    return _save_cost(account, _line(account, position))


@bp.post(f"/kosten/<{ID}:position>/verwijderen")
@resident_required
def remove_cost(initiative_id: int, position: int) -> Answer:
    """Take away a line that was not in the budget."""
    account = own_account(initiative_id)
    try:
        with transaction() as session:
            service.remove_cost(session, initiative_id, position, **who())
    except Conflict as error:
        return _cost_page(account, _line(account, position), {}, errors_of(error)), int(error.status)
    flash(_("De regel is weg."))
    return to("costs", initiative_id)


@bp.post(f"/bonnen/<{ID}:picture_id>/verwijderen")
@resident_required
def remove_receipt(initiative_id: int, picture_id: int) -> Response:
    """Take a receipt away."""
    account = own_account(initiative_id)
    lines = [line for line in account.costs if picture_id in {receipt.id for receipt in line.receipts}]
    if not lines:
        raise NotFound(_("Deze bon is er niet (meer)."))
    with transaction() as session:
        service.remove_receipt(session, initiative_id, picture_id, **who())
    flash(_("De bon is weg."))
    return redirect(url_for(".cost", initiative_id=initiative_id, position=lines[0].position), HTTPStatus.SEE_OTHER)


@bp.get(f"/bonnen/<{ID}:picture_id>")
@resident_required
def receipt(initiative_id: int, picture_id: int) -> Response:
    """A receipt itself, for the organisers."""
    subject_for(db.session(), initiative_id, signed_in_user(), can_account)
    return receipt_file(initiative_id, picture_id)


def receipt_file(initiative_id: int, picture_id: int) -> Response:
    """A receipt as a file; who may see it, the route has asked. A PDF is downloaded, it is never shown in our site."""
    found = queries.receipt(db.session(), initiative_id, picture_id)
    if found is None:
        raise NotFound(_("Deze bon is er niet (meer)."))
    data, content_type = read_private(current_app.extensions["file_store"], found[0])
    is_pdf = content_type == "application/pdf"
    name = f"bon-{picture_id}.{'pdf' if is_pdf else 'jpg'}"
    response = Response(data, content_type=content_type)
    response.headers["Content-Disposition"] = f'{"attachment" if is_pdf else "inline"}; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    return response


def _save_cost(account: Account, line: Cost | None) -> Answer:
    file = request.files.get("receipt")
    try:
        refuse_unless_writable(account)
        typed = load(CostForm() if line and line.planned_cents else NewCostForm(), request.form)
        data = sent_file("receipt") if file and file.filename else b""
        if data:
            count_upload()
        store = current_app.extensions["file_store"]
        with kept_receipt(store, data) if data else nullcontext() as kept, transaction() as session:
            position = service.save_cost(
                session, account.initiative_id, line.position if line else None, _cost_input(typed), **who()
            )
            if kept is not None:
                service.add_receipt(session, account.initiative_id, position, kept, _file_name(file), **who())
    except Refusals as error:
        errors = {"receipt" if name == "picture" else name: text for name, text in errors_of(error).items()}
        return _cost_page(own_account(account.initiative_id), line, request.form, errors), int(error.status)
    flash(_("Bewaard."))
    if "again" in request.form:
        place = url_for(".cost", initiative_id=account.initiative_id, position=position)
        return redirect(place, HTTPStatus.SEE_OTHER)
    return to("costs", account.initiative_id)


def _cost_input(typed: dict[str, object]) -> CostInput:
    seen = request.form.get("seen", "")
    return CostInput(
        description=str(typed.get("description", "")),
        actual_cents=typed["actual"],  # type: ignore[arg-type]
        no_receipt_reason=str(typed["no_receipt_reason"]),
        seen_cents=int(seen) if seen.isdecimal() and len(seen) < 12 else None,
    )


def _file_name(file: FileStorage | None) -> str:
    name = without_unseen((file.filename if file else "") or "").replace("\\", "/").rpartition("/")[2].strip()
    return name[-MAX_FILE_NAME:] or str(_("bon"))


def _line(account: Account, position: int) -> Cost:
    found = next((line for line in account.costs if line.position == position), None)
    if found is None:
        raise NotFound(_("Deze regel is er niet (meer)."))
    return found


def _cost_page(account: Account, line: Cost | None, values: object, errors: dict[str, str]) -> str:
    return render_template("accountability/cost.html", account=account, line=line, values=values, errors=errors)
