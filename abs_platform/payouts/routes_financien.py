# SPDX-License-Identifier: EUPL-1.2
"""Finance's pages of payouts: the lists, and one screen to approve, return, refuse or settle by hand."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.finance.queries import books_are_broken
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.subjects import subject_of
from abs_platform.payouts import approving, permissions, queries
from abs_platform.payouts.batch_queries import find_batch
from abs_platform.payouts.history import history_of
from abs_platform.payouts.paybacks import due
from abs_platform.payouts.queries import PayoutView
from abs_platform.payouts.routes import settings
from abs_platform.payouts.schemas import (
    MAX_SEARCH,
    BouncedForm,
    PaidForm,
    RefusalForm,
    RemarkForm,
    holds_iban,
    read_version,
)
from abs_platform.payouts.service import in_groups
from abs_platform.payouts.states import BatchState, FinanceList
from abs_platform.payouts.warnings import warnings_of
from abs_platform.rich_text import without_unseen
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import Role

ID = "int(max=9223372036854775807)"
bp = Blueprint("payouts_finance", __name__, url_prefix="/financien/uitbetalingen")

Answer = str | Response | tuple[str, int]


@bp.get("")
@staff_required(Role.FINANCE)
def index() -> str:
    """One of the lists, with what was searched for."""
    session, args = db.session(), request.args
    which = next((one for one in FinanceList if one.value == args.get("lijst")), FinanceList.TO_APPROVE)
    search = " ".join(without_unseen(args.get("zoek", ""))[:MAX_SEARCH].split())
    number = args.get("pagina", "")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1
    is_number = holds_iban(search)
    kept = {"lijst": which.value} | ({"zoek": search} if search and not is_number else {})
    return render_template(
        "payouts/finance_list.html",
        user=signed_in_user(),
        which=which,
        lists=list(FinanceList),
        overview=queries.overview(session, which, search="" if is_number else search, page=page),
        search="" if is_number else search,
        is_number=is_number,
        kept=kept,
        is_broken=books_are_broken(session),
        due=due(session),
        today=clock.today(),
    )


@bp.get(f"/<{ID}:payout_id>")
@staff_required(Role.FINANCE)
def show(payout_id: int) -> str:
    """One payout, whatever its state."""
    return _page(*_seen(payout_id))


@bp.post(f"/<{ID}:payout_id>")
@staff_required(Role.FINANCE)
def decide(payout_id: int) -> Answer:
    """Approve it, return it with what is missing, or refuse it."""
    _seen(payout_id)
    user, now, version = signed_in_user(), clock.now(), read_version(request.form)
    decision = request.form.get("decision", "")
    if decision == "approve":
        return _do(
            payout_id,
            lambda session: approving.approve(session, payout_id, version=version, user=user, now=now),
            _("Goedgekeurd. De uitbetaling kan nu in een betaalopdracht."),
        )
    if decision == "refuse":
        return _do(
            payout_id,
            lambda session: approving.refuse(
                session, payout_id, load(RefusalForm(), request.form)["reason"], version=version, user=user, now=now
            ),
            _("Geweigerd. De initiatiefnemer krijgt een mail met je reden."),
        )
    return _do(
        payout_id,
        lambda session: approving.send_back(
            session, payout_id, load(RemarkForm(), request.form)["remark"], version=version, user=user, now=now
        ),
        _("Teruggestuurd. De initiatiefnemer krijgt een mail met wat er mist."),
    )


@bp.post(f"/<{ID}:payout_id>/betaald")
@staff_required(Role.FINANCE)
def pay_by_hand(payout_id: int) -> Answer:
    """The bank paid it, and no statement says so here."""
    _seen(payout_id)

    def work(session: Session) -> None:
        typed = load(PaidForm(), request.form)
        approving.pay_by_hand(
            session,
            payout_id,
            paid_on=typed["paid_on"],
            reason=typed["paid_note"],
            user=signed_in_user(),
            now=clock.now(),
        )

    return _do(payout_id, work, _("Geboekt als betaald. De initiatiefnemer krijgt een mail."))


@bp.post(f"/<{ID}:payout_id>/teruggekomen")
@staff_required(Role.FINANCE)
def bounce_by_hand(payout_id: int) -> Answer:
    """The bank sent it back, and no statement says so here."""
    _seen(payout_id)

    def work(session: Session) -> None:
        reason = load(BouncedForm(), request.form)["bounce_reason"]
        approving.bounce_by_hand(session, payout_id, reason=reason, user=signed_in_user(), now=clock.now())

    return _do(payout_id, work, _("Geboekt als teruggekomen. De initiatiefnemer krijgt een mail."))


@bp.post(f"/<{ID}:payout_id>/rekeningnummer")
@staff_required(Role.FINANCE)
def show_iban(payout_id: int) -> Answer:
    """The whole account number, on this page only; that it was looked at is written down."""
    _seen(payout_id)
    try:
        with transaction() as session:
            iban = approving.show_iban(
                session,
                payout_id,
                at_desk=False,
                user=signed_in_user(),
                secret_key=settings().secret_key,
                now=clock.now(),
            )
    except Conflict as error:
        return _page(*_seen(payout_id), errors=errors_of(error)), int(error.status)
    return _page(*_seen(payout_id), iban=iban)


def _do(payout_id: int, work: Callable[[Session], None], said: str) -> Answer:
    """Do this in a transaction and say so; or the page again, with what is wrong."""
    try:
        with transaction() as session:
            work(session)
    except (InvalidInput, Conflict) as error:
        return _page(*_seen(payout_id), errors=errors_of(error)), int(error.status)
    flash(said)
    return redirect(url_for(".show", payout_id=payout_id), HTTPStatus.SEE_OTHER)


def _seen(payout_id: int) -> tuple[Subject, PayoutView]:
    """A payout that this person may look at. Raises: NotFound, NotAllowed."""
    session = db.session()
    payout = queries.find(session, payout_id)
    if payout is None:
        raise NotFound(_("Deze uitbetaling is er niet (meer)."))
    subject = subject_of(session, payout.initiative_id)
    if not permissions.can_see_as_finance(signed_in_user(), subject):
        raise NotAllowed(_("Je organiseert dit initiatief zelf. Een collega bekijkt de uitbetaling."))
    return subject, payout


def _page(subject: Subject, payout: PayoutView, *, errors: dict[str, str] | None = None, iban: str = "") -> str:
    user, session = signed_in_user(), db.session()
    may_handle = permissions.can_handle(user, subject, payout.hands)
    may_approve = permissions.can_approve(user, subject, payout.hands)
    batch = find_batch(session, payout.batch_id) if payout.batch_id else None
    may_settle = permissions.can_settle_by_hand(user, subject, payout.hands)
    return render_template(
        "payouts/finance_show.html",
        user=user,
        subject=subject,
        payout=payout,
        may_handle=may_handle,
        may_approve=may_approve,
        may_settle=may_settle and batch is not None and batch.state != BatchState.MADE,
        warnings=warnings_of(session, payout, subject, user=user, rules=current_rules()) if may_handle else [],
        batch=batch,
        history=history_of(session, payout.id),
        is_broken=books_are_broken(session),
        today=clock.today(),
        iban=in_groups(iban),
        values=request.form,
        errors=errors or {},
    )
