# SPDX-License-Identifier: EUPL-1.2
"""The organisers' pages for their money: ask for it, see where it is, correct the bank details, take it back."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.subjects import subject_for
from abs_platform.payouts import queries, service
from abs_platform.payouts.permissions import can_change, can_request, can_see_own
from abs_platform.payouts.queries import PayoutView
from abs_platform.payouts.schemas import read_details, read_version
from abs_platform.payouts.states import HolderKind
from abs_platform.payouts.warnings import not_as_typed
from abs_platform.security import resident_required, signed_in_user

ID = "int(max=9223372036854775807)"
bp = Blueprint("payouts", __name__, url_prefix=f"/account/initiatieven/<{ID}:initiative_id>/uitbetaling")

Answer = str | Response | tuple[str, int]


@bp.get("")
@resident_required
def show(initiative_id: int) -> str:
    """Where the money is."""
    session, user = db.session(), signed_in_user()
    subject = subject_for(session, initiative_id, user, can_see_own)
    payouts = queries.of_initiative(session, initiative_id)
    payout = payouts[0] if payouts else None
    is_initiator = can_request(user, subject)
    return render_template(
        "payouts/show.html",
        subject=subject,
        payout=payout,
        earlier=payouts[1:],
        balance_cents=queries.available_of(session, initiative_id),
        is_initiator=is_initiator,
        can_ask=is_initiator and (payout is None or not payout.is_living),
        can_change=payout is not None and can_change(user, subject, payout.hands),
        as_sent=not_as_typed(payout.holder_name) if payout and is_initiator else "",
    )


@bp.get("/aanvragen")
@resident_required
def ask(initiative_id: int) -> Answer:
    """The form, or the page that says where the money is when it was sent already."""
    subject = subject_for(db.session(), initiative_id, signed_in_user(), can_request)
    if _living(initiative_id) is not None:
        return _to_show(initiative_id)
    return _form_page(subject, None, {}, {})


@bp.post("/aanvragen")
@resident_required
def send(initiative_id: int) -> Answer:
    """Ask for the money."""
    subject, user = subject_for(db.session(), initiative_id, signed_in_user(), can_request), signed_in_user()
    try:
        details = read_details(request.form, own_iban=_own_iban(), is_new=True)
        with transaction() as session:
            service.request(
                session, initiative_id, details, user=user, secret_key=settings().secret_key, now=clock.now()
            )
    except (InvalidInput, Conflict) as error:
        return _refused(subject, None, error)
    flash(_("De uitbetaling is aangevraagd. De wijkregisseur kijkt eerst."))
    return _to_show(initiative_id)


@bp.get("/wijzigen")
@resident_required
def edit(initiative_id: int) -> Answer:
    """The bank details, with the account number to type anew."""
    subject, payout = _own(initiative_id)
    return _form_page(subject, payout, _values(payout), {})


@bp.post("/wijzigen")
@resident_required
def correct(initiative_id: int) -> Answer:
    """Other bank details, or another amount."""
    subject, payout = _own(initiative_id)
    try:
        details = read_details(request.form, own_iban=_own_iban(), is_new=False)
        with transaction() as session:
            is_changed = service.correct(
                session,
                payout.id,
                details,
                version=read_version(request.form),
                user=signed_in_user(),
                secret_key=settings().secret_key,
                now=clock.now(),
            )
    except (InvalidInput, Conflict) as error:
        return _refused(subject, payout, error)
    flash(_("Verstuurd. De wijkregisseur bekijkt het opnieuw.") if is_changed else _("Er was niets veranderd."))
    return _to_show(initiative_id)


@bp.post("/intrekken")
@resident_required
def take_back(initiative_id: int) -> Response:
    """Not after all, or not now."""
    _subject, payout = _own(initiative_id)
    with transaction() as session:
        service.take_back(session, payout.id, user=signed_in_user(), now=clock.now())
    flash(_("De aanvraag is ingetrokken. Het geld blijft voor jullie klaarstaan."))
    return _to_show(initiative_id)


def settings() -> Settings:
    """The settings of the app."""
    found: Settings = current_app.extensions["settings"]
    return found


def _own_iban() -> str | None:
    account = settings().bank_account
    return account.iban if account else None


def _living(initiative_id: int) -> PayoutView | None:
    return next((one for one in queries.of_initiative(db.session(), initiative_id) if one.is_living), None)


def _own(initiative_id: int) -> tuple[Subject, PayoutView]:
    """The payout that the initiator may change. Raises: NotFound, NotAllowed."""
    subject = subject_for(db.session(), initiative_id, signed_in_user(), can_request)
    payout = _living(initiative_id)
    if payout is None:
        raise NotFound(_("Er is nu geen uitbetaling aangevraagd."))
    return subject, payout


def _values(payout: PayoutView) -> dict[str, str]:
    """What a form shows of what is there; never the account number."""
    return {
        "amount": f"{payout.amount_cents // 100},{payout.amount_cents % 100:02d}",
        "holder_name": payout.holder_name,
        "holder_kind": payout.holder_kind.value,
    }


def _form_page(subject: Subject, payout: PayoutView | None, values: Mapping[str, str], errors: dict[str, str]) -> str:
    balance_cents = queries.available_of(db.session(), subject.id)
    usual = {"amount": f"{balance_cents // 100},{balance_cents % 100:02d}"}
    return render_template(
        "payouts/form.html",
        subject=subject,
        payout=payout,
        balance_cents=balance_cents,
        kinds=[(kind.value, kind.label) for kind in HolderKind],
        values=usual | dict(values),
        errors=errors,
    )


def _refused(subject: Subject, payout: PayoutView | None, error: AbsError) -> Answer:
    """The form again with what was typed; after a change of somebody else with the version of now."""
    fresh = _living(subject.id) if payout else None
    return _form_page(subject, fresh or payout, request.form, errors_of(error)), int(error.status)


def _to_show(initiative_id: int) -> Response:
    return redirect(url_for(".show", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)
