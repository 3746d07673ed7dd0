# SPDX-License-Identifier: EUPL-1.2
"""Finance's pages of files for the bank: make one, release that of a colleague, download it, take it back."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.finance.queries import books_are_broken
from abs_platform.form_input import errors_of, load
from abs_platform.payouts import batch_queries, batches
from abs_platform.payouts.schemas import RefusalForm
from abs_platform.payouts.sepa import next_banking_day
from abs_platform.payouts.states import BatchState, PayoutState
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import Role

ID = "int(max=9223372036854775807)"
bp = Blueprint("batches", __name__, url_prefix="/financien/betaalopdrachten")

Answer = str | Response | tuple[str, int]


@bp.get("")
@staff_required(Role.FINANCE)
def index() -> str:
    """What can be paid, and the files."""
    return _index_page({})


@bp.post("")
@staff_required(Role.FINANCE)
def make() -> Answer:
    """Put what was chosen into one file."""
    chosen = {int(text) for text in request.form.getlist("payouts") if _is_number(text)}
    try:
        with transaction() as session:
            batch_id = batches.make_batch(
                session,
                chosen,
                account=_settings().bank_account,
                secret_key=_settings().secret_key,
                user=signed_in_user(),
                now=clock.now(),
            )
    except (InvalidInput, Conflict, NotFound) as error:
        return _index_page(errors_of(error), chosen), int(error.status)
    flash(_("De betaalopdracht is gemaakt. Vraag een collega om hem vrij te geven."))
    return redirect(url_for(".show", batch_id=batch_id), HTTPStatus.SEE_OTHER)


@bp.get(f"/<{ID}:batch_id>")
@staff_required(Role.FINANCE)
def show(batch_id: int) -> str:
    """One file with its payouts."""
    return _page(batch_id, {})


@bp.post(f"/<{ID}:batch_id>/vrijgeven")
@staff_required(Role.FINANCE)
def release(batch_id: int) -> Answer:
    """Let the file of a colleague go to the bank."""

    def work(session: Session) -> None:
        batches.release(
            session,
            batch_id,
            account=_settings().bank_account,
            secret_key=_settings().secret_key,
            user=signed_in_user(),
            now=clock.now(),
        )

    return _do(batch_id, work, _("Vrijgegeven. Download het bestand en lever het aan bij de bank."))


@bp.post(f"/<{ID}:batch_id>/downloaden")
@staff_required(Role.FINANCE)
def download(batch_id: int) -> Answer:
    """The file itself."""
    try:
        with transaction() as session:
            made = batches.download(
                session, batch_id, secret_key=_settings().secret_key, user=signed_in_user(), now=clock.now()
            )
    except Conflict as error:
        return _page(batch_id, errors_of(error)), int(error.status)
    answer = make_response(made.content)
    answer.headers["Content-Type"] = "application/xml"
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post(f"/<{ID}:batch_id>/intrekken")
@staff_required(Role.FINANCE)
def cancel(batch_id: int) -> Answer:
    """Take the file back, with a reason."""

    def work(session: Session) -> None:
        batches.cancel(
            session,
            batch_id,
            reason=load(RefusalForm(), request.form)["reason"],
            is_surely_not_executed=request.form.get("is_surely_not_executed") == "1",
            user=signed_in_user(),
            now=clock.now(),
        )

    return _do(batch_id, work, _("Ingetrokken. De uitbetalingen kunnen in een andere betaalopdracht."))


def _do(batch_id: int, work: Callable[[Session], None], said: str) -> Answer:
    """Do this in a transaction and say so; or the page again, with what is wrong."""
    try:
        with transaction() as session:
            work(session)
    except (InvalidInput, Conflict) as error:
        return _page(batch_id, errors_of(error)), int(error.status)
    flash(said)
    return redirect(url_for(".show", batch_id=batch_id), HTTPStatus.SEE_OTHER)


def _index_page(errors: dict[str, str], chosen: set[int] | None = None) -> str:
    session, user = db.session(), signed_in_user()
    rows = batch_queries.to_pay(session, user)
    payable = [row for row in rows if row.is_payable]
    number = request.args.get("pagina", "")
    return render_template(
        "payouts/batches.html",
        user=user,
        rows=rows,
        chosen={row.id for row in payable} if chosen is None else chosen,
        payable=payable,
        sum_cents=sum(row.amount_cents for row in payable),
        batches=batch_queries.batches(session, int(number) if _is_number(number) else 1),
        execution_on=next_banking_day(clock.today()),
        account=_settings().bank_account,
        is_broken=books_are_broken(session),
        errors=errors,
    )


def _page(batch_id: int, errors: dict[str, str]) -> str:
    session, user = db.session(), signed_in_user()
    batch = batch_queries.find_batch(session, batch_id)
    if batch is None:
        raise NotFound(_("Deze betaalopdracht is er niet."))
    rows = batch_queries.payments_of(session, batch, user)
    is_own = any(row.is_own for row in rows)
    is_living = batch.state in {BatchState.MADE, BatchState.RELEASED}
    has_ended = any(row.state in {PayoutState.PAID, PayoutState.BOUNCED} for row in rows)
    return render_template(
        "payouts/batch.html",
        user=user,
        batch=batch,
        rows=rows,
        downloads=batch_queries.downloads_of(session, batch_id),
        is_own=is_own,
        is_maker=batch.made_by_id == user.account_id,
        can_cancel=is_living and not has_ended and not is_own,
        is_broken=books_are_broken(session),
        reason=request.form.get("reason", ""),
        errors=errors,
    )


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
