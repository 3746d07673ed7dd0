# SPDX-License-Identifier: EUPL-1.2
"""The desk's one screen for a payout: look at the bank details, confirm them, return or refuse it."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.subjects import subject_for
from abs_platform.payouts import approving, queries
from abs_platform.payouts.permissions import can_confirm, can_see_at_desk
from abs_platform.payouts.queries import PayoutView
from abs_platform.payouts.routes import settings
from abs_platform.payouts.schemas import RefusalForm, RemarkForm, read_version
from abs_platform.payouts.service import in_groups
from abs_platform.payouts.warnings import warnings_of
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import signed_in_user, staff_required

ID = "int(max=9223372036854775807)"
bp = Blueprint("payouts_regie", __name__, url_prefix="/regie/uitbetaling")

Answer = str | Response | tuple[str, int]


@bp.get(f"/<{ID}:initiative_id>")
@staff_required("district_manager")
def show(initiative_id: int) -> str:
    """The last payout of an initiative of this desk."""
    return _page(*_at_desk(initiative_id))


@bp.post(f"/<{ID}:initiative_id>")
@staff_required("district_manager")
def decide(initiative_id: int) -> Answer:
    """Confirm it, return it with what is missing, or refuse it."""
    _subject, payout = _at_desk(initiative_id)
    user, now, version = signed_in_user(), clock.now(), read_version(request.form)
    decision = request.form.get("decision", "")
    try:
        if decision == "confirm":
            with transaction() as session:
                approving.confirm(session, payout.id, version=version, user=user, now=now)
            flash(_("Bevestigd. Financiën keurt het goed en betaalt het uit."))
        elif decision == "refuse":
            reason = load(RefusalForm(), request.form)["reason"]
            with transaction() as session:
                approving.refuse(session, payout.id, reason, version=version, user=user, now=now)
            flash(_("Geweigerd. De initiatiefnemer krijgt een mail met je reden."))
        else:
            remark = load(RemarkForm(), request.form)["remark"]
            with transaction() as session:
                approving.send_back(session, payout.id, remark, version=version, user=user, now=now)
            flash(_("Teruggestuurd. De initiatiefnemer krijgt een mail met wat er mist."))
    except (InvalidInput, Conflict) as error:
        return _refused(initiative_id, error)
    return redirect(url_for(".show", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


@bp.post(f"/<{ID}:initiative_id>/rekeningnummer")
@staff_required("district_manager")
def show_iban(initiative_id: int) -> Answer:
    """The whole account number, on this page only; that it was looked at is written down."""
    _subject, payout = _at_desk(initiative_id)
    try:
        with transaction() as session:
            iban = approving.show_iban(
                session,
                payout.id,
                at_desk=True,
                user=signed_in_user(),
                secret_key=settings().secret_key,
                now=clock.now(),
            )
    except Conflict as error:
        return _refused(initiative_id, error)
    return _page(*_at_desk(initiative_id), iban=iban)


def _at_desk(initiative_id: int) -> tuple[Subject, PayoutView]:
    subject = subject_for(db.session(), initiative_id, signed_in_user(), can_see_at_desk)
    payouts = queries.of_initiative(db.session(), initiative_id)
    if not payouts:
        raise NotFound(_("Voor dit initiatief is geen uitbetaling aangevraagd."))
    return subject, payouts[0]


def _refused(initiative_id: int, error: AbsError) -> Answer:
    return _page(*_at_desk(initiative_id), errors=errors_of(error)), int(error.status)


def _page(subject: Subject, payout: PayoutView, *, errors: dict[str, str] | None = None, iban: str = "") -> str:
    user, session = signed_in_user(), db.session()
    may_decide = can_confirm(user, subject, payout.hands)
    return render_template(
        "payouts/confirm.html",
        user=user,
        subject=subject,
        payout=payout,
        may_decide=may_decide,
        warnings=warnings_of(session, payout, subject, user=user, rules=current_rules()) if may_decide else [],
        iban=in_groups(iban),
        values=request.form,
        errors=errors or {},
    )
