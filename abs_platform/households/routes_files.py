# SPDX-License-Identifier: EUPL-1.2
"""Address files: sent, looked at in the job process, and taken over in two steps when the report is right."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput
from abs_platform.form_input import errors_of
from abs_platform.households import applying, sent_files
from abs_platform.households.routes_beheer import ID, Answer, Errors, bp
from abs_platform.households.schemas import read_apply_reason, read_edition
from abs_platform.households.sent_files import MAX_BAG_BYTES, MAX_KEY_BYTES, SentFile
from abs_platform.households.states import SkipReason, Variant
from abs_platform.security import signed_in_user, staff_required
from abs_platform.uploads import accepts_uploads_of
from abs_platform.users import Role
from abs_platform.work import queries as work
from abs_platform.work.states import WorkKind, WorkState

__all__ = ["bp"]

_FORM_BYTES = 1_000_000


@bp.get("/inlezen")
@staff_required(Role.COORDINATOR)
def ask_files() -> str:
    """Ask for the two files."""
    return _files_page("", {})


@bp.post("/inlezen")
@staff_required(Role.COORDINATOR)
@accepts_uploads_of(MAX_BAG_BYTES + MAX_KEY_BYTES + _FORM_BYTES)
def send_files() -> Answer:
    """Keep them, and ask the job process to look at them."""
    now, store = clock.now(), current_app.extensions["file_store"]
    try:
        edition = read_edition(request.form) or clock.local_date(now).isoformat()
        streams = {name: request.files.get(name, FileStorage()) for name in ("bag", "key")}
        bag, key = _measured(streams)
        for file, one in ((bag, streams["bag"]), (key, streams["key"])):
            sent_files.keep(store, file, one.stream)
        with transaction() as session:
            account_id = signed_in_user().account_id
            order_id = applying.order_check(session, bag, key, edition, account_id=account_id, now=now)
    except AbsError as error:
        return _files_page(request.form.get("edition", ""), errors_of(error)), int(error.status)
    return redirect(url_for(".report", order_id=order_id), HTTPStatus.SEE_OTHER)


@bp.get(f"/inlezen/<{ID}:order_id>")
@staff_required(Role.COORDINATOR)
def report(order_id: int) -> str:
    """How far looking is; then what applying would do."""
    return _report_page("report", order_id, {}, {})


@bp.get(f"/inlezen/<{ID}:order_id>/overnemen")
@staff_required(Role.COORDINATOR)
def ask_apply(order_id: int) -> str:
    """The second step: the exact counts, and the ticks."""
    if applying.find_check(db.session(), order_id).state is not WorkState.DONE:
        raise Conflict(_("Deze bestanden zijn nog niet nagekeken."))
    return _report_page("apply", order_id, {}, {})


@bp.post(f"/inlezen/<{ID}:order_id>/overnemen")
@staff_required(Role.COORDINATOR)
def apply(order_id: int) -> Answer:
    """Ask the job process to do exactly that."""
    account_id = signed_in_user().account_id
    db.session.rollback()
    try:
        reason = read_apply_reason(request.form)
        _check_sure()
        with transaction() as session:
            made = applying.order_import(
                session,
                order_id,
                skip_rejected="skip_rejected" in request.form,
                allow_gone="allow_gone" in request.form,
                reason=reason,
                account_id=account_id,
                now=clock.now(),
            )
    except (InvalidInput, Conflict) as error:
        return _report_page("apply", order_id, request.form, errors_of(error)), int(error.status)
    flash(_("Het overnemen is gestart."))
    return redirect(url_for("work_desk.order", order_id=made), HTTPStatus.SEE_OTHER)


def _check_sure() -> None:
    if "sure" not in request.form:
        message = _("Zet een vinkje: je hebt de aantallen bekeken.")
        raise InvalidInput(message, fields={"sure": message})


def _measured(streams: Mapping[str, FileStorage]) -> tuple[SentFile, SentFile]:
    """Both files, with what is wrong with either told at once. Raises: InvalidInput."""
    problems: Errors = {}
    found: dict[str, SentFile] = {}
    for name, most in (("bag", MAX_BAG_BYTES), ("key", MAX_KEY_BYTES)):
        one = streams[name]
        try:
            found[name] = sent_files.measure(one.stream, one.filename or "", name, most)
        except InvalidInput as error:
            problems |= error.fields
    if not problems and found["bag"].sha256 == found["key"].sha256:
        problems["key"] = _("Dit is twee keer hetzelfde bestand. Kies hier de sleutel van het CBS.")
    if problems:
        raise InvalidInput(" ".join(problems.values()), fields=problems)
    return found["bag"], found["key"]


def _files_page(edition: str, errors: Errors) -> str:
    return render_template(
        "addresses_desk/send.html",
        edition=edition,
        errors=errors,
        most_bag=MAX_BAG_BYTES // 1_000_000,
        most_key=MAX_KEY_BYTES // 1_000_000,
    )


def _report_page(template: str, order_id: int, values: Mapping[str, str], errors: Errors) -> str:
    session = db.session()
    order = applying.find_check(session, order_id)
    found = order.result.get("report", {})
    newest = work.latest(session, WorkKind.IMPORT_ADDRESSES)
    return render_template(
        f"addresses_desk/{template}.html",
        order=order,
        report=found,
        too_many_gone=bool(found) and applying.is_too_many_gone(found),
        skipped=[(reason.label, found["skipped"][reason.value]) for reason in SkipReason] if found else [],
        variant=Variant(found["variant"]).label if found else "",
        was_applied=applying.was_applied(session, order_id),
        is_too_old=sent_files.is_too_old(order, clock.now()),
        has_changed=bool(found) and applying.fingerprint(session) != order.result["fingerprint"],
        applying=newest if newest is not None and newest.params["check_id"] == order_id else None,
        values=values,
        errors=errors,
    )
