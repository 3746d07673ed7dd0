# SPDX-License-Identifier: EUPL-1.2
"""The end of the wizard: look at it as it will be, send it, take a change back, or withdraw the whole."""

from __future__ import annotations

from http import HTTPStatus

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.donations.queries import total_of
from abs_platform.errors import Conflict, InvalidInput, NotAllowed
from abs_platform.initiatives import proposals
from abs_platform.initiatives.ending import withdraw_and_tell
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.permissions import can_withdraw, is_initiator
from abs_platform.initiatives.routes_pictures import bp
from abs_platform.initiatives.routes_submitting import (
    ID,
    Answered,
    own_initiative,
    read_screen,
    rules,
    sent_version,
    step_page,
    typed,
)
from abs_platform.initiatives.schemas_people import load_reason
from abs_platform.initiatives.showing import preview
from abs_platform.initiatives.states import InitiativeState
from abs_platform.initiatives.steps import Step
from abs_platform.security import current_actor, resident_required, signed_in_user

__all__ = ["bp"]


@bp.get(f"/{ID}/voorbeeld")
@resident_required
def show_preview(initiative_id: int) -> str:
    """The page as it will look."""
    _subject, initiative = own_initiative(initiative_id)
    content = proposals.working_copy(db.session(), initiative_id).content
    shown = preview(db.session(), initiative, content, today=clock.today())
    return render_template("initiatives/wizard/preview.html", initiative=shown, number=initiative_id)


@bp.post(f"/{ID}/versturen")
@resident_required
def send(initiative_id: int) -> Answered:
    """Send it to the wijkregisseur; after publishing: put small changes online and offer the others."""
    subject, initiative = own_initiative(initiative_id)
    user = signed_in_user()
    if not subject.is_public and not is_initiator(user, subject):
        raise NotAllowed(_("Alleen wie het initiatief begon kan het versturen."))
    try:
        _ask_for_ticks(initiative)
        with transaction() as session:
            done = proposals.send(
                session,
                initiative_id,
                rules=rules(),
                account_id=user.account_id,
                actor=current_actor(),
                now=clock.now(),
                version=sent_version(),
            )
    except (InvalidInput, Conflict) as error:
        db.session.expire_all()
        return step_page(initiative, Step.CHECK, values=typed(), error=error)
    if subject.is_public:
        waits, online = _("Je wijziging ligt nu bij de wijkregisseur."), _("Je wijziging staat online.")
        flash(waits if done.waits else online)
    return redirect(url_for(".overview", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


def _ask_for_ticks(initiative: Initiative) -> None:
    """Raises: InvalidInput until the sender said that it is true, and looked at the addresses and numbers in it."""
    if initiative.state == InitiativeState.SUBMITTED:
        return  # the second press of the button
    wrong = {}
    screen = read_screen(initiative, Step.CHECK)
    if screen.more["contacts"] and not request.form.get("contacts_seen"):
        wrong["contacts_seen"] = _("Kijk naar de e-mailadressen en telefoonnummers in je tekst.")
    if not request.form.get("is_true"):
        wrong["is_true"] = _("Vink aan dat het klopt.")
    if wrong and not screen.problems:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)


@bp.post(f"/{ID}/wijziging-intrekken")
@resident_required
def withdraw_change(initiative_id: int) -> Answered:
    """Take back the change that waits at the desk, or throw away what was never sent."""
    own_initiative(initiative_id)
    with transaction() as session:
        if proposals.working_copy(session, initiative_id).sent_at is not None:
            proposals.withdraw_change(session, initiative_id, actor=current_actor(), now=clock.now())
        else:
            proposals.discard_change(session, initiative_id, actor=current_actor(), now=clock.now())
    flash(_("Je wijziging is weg. Alles blijft zoals het was."))
    return redirect(url_for(".overview", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


@bp.get(f"/{ID}/intrekken")
@resident_required
def ask_to_withdraw(initiative_id: int) -> Answered:
    """What withdrawing means, and why one does."""
    return _withdraw_page(_withdrawable(initiative_id), "", {})


def _withdrawable(initiative_id: int) -> Initiative:
    subject, initiative = own_initiative(initiative_id)
    if not is_initiator(signed_in_user(), subject):
        raise NotAllowed(_("Alleen wie het initiatief begon kan het intrekken."))
    if not can_withdraw(signed_in_user(), subject):
        raise Conflict(_("Dit initiatief kun je niet meer intrekken. Neem contact op met de gemeente."))
    return initiative


def _withdraw_page(initiative: Initiative, reason: str, errors: dict[str, str]) -> str:
    return render_template(
        "initiatives/wizard/withdraw.html",
        initiative=initiative,
        total=total_of(db.session(), initiative.id),
        is_draft=initiative.state == InitiativeState.DRAFT,
        is_public=initiative.published_at is not None,
        reason=reason,
        errors=errors,
    )


@bp.post(f"/{ID}/intrekken")
@resident_required
def withdraw(initiative_id: int) -> Answered:
    """Withdraw it. Its gifts go back with the next round of the job (rule 7)."""
    initiative = _withdrawable(initiative_id)
    is_draft = initiative.state == InitiativeState.DRAFT
    try:
        reason = load_reason(request.form, required=not is_draft) or _("Het idee is weggegooid voor het verstuurd was.")
    except InvalidInput as error:
        return make_response(_withdraw_page(initiative, typed().get("reason", ""), error.fields), error.status)
    with transaction() as session:
        withdraw_and_tell(session, initiative_id, reason=reason, actor=current_actor(), now=clock.now())
    flash(_("Je idee is weggegooid.") if is_draft else _("Je initiatief is ingetrokken."))
    return redirect(url_for("accounts.home"), HTTPStatus.SEE_OTHER)
