# SPDX-License-Identifier: EUPL-1.2
"""Who carries an initiative: the initiator asks and takes off, and who was asked answers behind the link of a mail."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, TooManyAttempts
from abs_platform.initiatives import answering, inviting, proposals
from abs_platform.initiatives.content import working_copy
from abs_platform.initiatives.permissions import can_invite
from abs_platform.initiatives.routes_submitting import (
    ID,
    Answered,
    own_initiative,
    read_button,
    rules,
    sent_version,
    settings,
    step_page,
    typed,
    wants_json,
    way_on,
)
from abs_platform.initiatives.routes_submitting import bp as submitting_bp
from abs_platform.initiatives.schemas import refusal
from abs_platform.initiatives.schemas_people import load_address, load_invited, load_people, load_reason
from abs_platform.initiatives.steps import Step
from abs_platform.security import current_actor, public, resident_required, signed_in_user, user_or_none

bp = Blueprint("invitations", __name__)

CO_ORGANISER = Actor("organiser")


@submitting_bp.post(f"/{ID}/bewerken/{Step.PEOPLE.value}")
@resident_required
def save_people(initiative_id: int) -> Answered:
    """Keep for whom it is and the initiator's address; then ask somebody, ask again, or take somebody off.

    All of the page is one form, so that whatever button is pressed nothing that was typed is lost.
    """
    subject, initiative = own_initiative(initiative_id)
    pressed, number = read_button()
    is_theirs = can_invite(signed_in_user(), subject)
    if pressed in _ASKING and not is_theirs:
        raise NotAllowed(_("Alleen wie het initiatief begon kan anderen vragen of weghalen."))
    try:
        version = _keep(initiative_id, with_address=is_theirs)
        if wants_json():
            return jsonify(version=version)
        message = _act(initiative_id, pressed, number) if is_theirs else ""
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        if wants_json():
            return make_response(jsonify(message=error.message), error.status)
        db.session.expire_all()
        return step_page(initiative, Step.PEOPLE, values=typed(), error=error)
    if message:
        flash(message)
        url = url_for("submitting.show_step", initiative_id=initiative_id, name=Step.PEOPLE.value, _anchor="organisers")
        return redirect(url, HTTPStatus.SEE_OTHER)
    return redirect(way_on(initiative_id, Step.PEOPLE, subject.state), HTTPStatus.SEE_OTHER)


_ASKING = {"vraag", "opnieuw", "weg"}


def _keep(initiative_id: int, *, with_address: bool) -> int:
    """Keep the page; returns the version. An address may still be left out."""
    changes, address = load_people(request.form, with_address=with_address)
    account_id, now = signed_in_user().account_id, clock.now()
    with transaction() as session:
        if address is not None:
            inviting.state_own_address(session, initiative_id, address, account_id=account_id, now=now)
        kept = proposals.save(session, initiative_id, changes, version=sent_version(), account_id=account_id, now=now)
        return kept.version


def _act(initiative_id: int, pressed: str, organiser_id: int) -> str:
    """What the pressed button asks besides; returns what was done."""
    now, actor, key = clock.now(), current_actor(), settings().secret_key
    typed = [name for name in ("invited_name", "invited_email") if request.form.get(name, "").strip()]
    if typed and pressed not in _ASKING:
        sentence = _("Je hebt nog geen uitnodiging gestuurd. Druk op de knop daaronder, of maak de vakken leeg.")
        raise refusal(typed[0], sentence)
    with transaction() as session:
        if pressed == "vraag":
            name, email = load_invited(request.form)
            inviting.invite(session, initiative_id, name=name, email=email, secret_key=key, actor=actor, now=now)
            return str(_("%(name)s krijgt een mail met de vraag om mee te doen.", name=name))
        if pressed == "opnieuw":
            one = inviting.resend(session, initiative_id, organiser_id, secret_key=key, actor=actor, now=now)
            return str(_("%(name)s krijgt een nieuwe mail. De oude link werkt niet meer.", name=one.name))
        if pressed == "weg":
            name = inviting.remove(session, initiative_id, organiser_id, actor=actor, now=now)
            return str(_("%(name)s staat niet meer in je lijst.", name=name))
    return ""


# -- behind the link of the mail: no account is needed ----------------------------------------------------------------


@bp.get("/meedoen/<token>")
@public
def show(token: str) -> Answered:
    """What the idea is, and what carrying it means. Opening the page answers nothing."""
    return _invitation_page(token, {}, {})


def _invitation_page(
    token: str, values: dict[str, str], errors: dict[str, str], status: int = HTTPStatus.OK
) -> Answered:
    session = db.session()
    found = answering.invitation_of(session, token, secret_key=settings().secret_key, now=clock.now())
    page = render_template(
        "initiatives/invitation.html",
        token=token,
        found=found,
        content=working_copy(session, found.initiative.id).content,
        rules=rules(),
        user=user_or_none(),
        values=values,
        errors=errors,
    )
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address is the key
    return response


@bp.post("/meedoen/<token>")
@public
def answer(token: str) -> Answered:
    """Yes, no, or "I do not know this": what the pressed button says."""
    pressed, now, key = request.form.get("doe", ""), clock.now(), settings().secret_key
    try:
        if pressed == "onbekend":
            with transaction() as session:
                title = answering.report(session, token, secret_key=key, actor=CO_ORGANISER, now=now)
            return render_template("initiatives/invitation_gone.html", title=title)
        if pressed == "nee":
            reason = load_reason(request.form, required=False)
            with transaction() as session:
                answering.decline(session, token, reason, secret_key=key, actor=CO_ORGANISER, now=now)
        else:
            address, user = load_address(request.form), user_or_none()
            with transaction() as session:
                answering.accept(
                    session, token, address, user=user, rules=rules(), secret_key=key, actor=CO_ORGANISER, now=now
                )
    except (InvalidInput, Conflict) as error:
        db.session.expire_all()
        fields = error.fields if isinstance(error, InvalidInput) else {"form": error.message}
        return _invitation_page(token, typed(), fields, error.status)
    return redirect(url_for(".show", token=token), HTTPStatus.SEE_OTHER)
