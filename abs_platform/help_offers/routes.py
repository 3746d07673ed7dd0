# SPDX-License-Identifier: EUPL-1.2
"""Offering help in two taps, what I offered, and the organisers' answers."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import attempts, clock
from abs_platform.accounts.service import change_name
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.form_input import errors_of, load
from abs_platform.help_offers import queries, service
from abs_platform.help_offers.permissions import can_answer, can_offer
from abs_platform.help_offers.queries import Need, Offer
from abs_platform.help_offers.schemas import NamedOfferForm, OfferForm
from abs_platform.help_offers.states import LIVING_STATES
from abs_platform.initiatives.subjects import subject_for, subject_of
from abs_platform.security import current_actor, resident_required, signed_in_user

ID = "int(max=9223372036854775807)"
bp = Blueprint("help_offers", __name__)

Answer = str | Response | tuple[str, int]


@bp.get(f"/initiatieven/<{ID}:initiative_id>/hulp/<{ID}:need_id>")
@resident_required
def offer(initiative_id: int, need_id: int) -> str:
    """What is asked, an optional line, and what is shared with whom."""
    return _offer_page(_asked(initiative_id, need_id), {}, {})


@bp.post(f"/initiatieven/<{ID}:initiative_id>/hulp/<{ID}:need_id>")
@resident_required
def make(initiative_id: int, need_id: int) -> Answer:
    """Offer it."""
    user, need = signed_in_user(), _asked(initiative_id, need_id)
    if not can_offer(user, subject_of(db.session(), initiative_id)):
        error = Conflict(_("Je organiseert dit zelf, of er is geen hulp meer nodig."))
        return _offer_page(need, request.form, errors_of(error)), int(error.status)
    try:
        typed = load(OfferForm() if user.name else NamedOfferForm(), request.form)
        name = user.name or typed["name"]
        with transaction() as session:
            if not user.name:
                change_name(session, user.account_id, name)
            service.offer_help(
                session,
                initiative_id,
                need_id,
                account_id=user.account_id,
                name=name,
                note=typed["note"],
                key=attempts.digest(current_app.extensions["settings"].secret_key, f"account:{user.account_id}"),
                actor=current_actor(),
                now=clock.now(),
            )
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        return _offer_page(need, request.form, errors_of(error)), int(error.status)
    flash(_("Fijn dat je helpt! De organisatoren hebben een mail gekregen en laten je iets weten."))
    return redirect(url_for(".mine"), HTTPStatus.SEE_OTHER)


@bp.get("/account/hulp")
@resident_required
def mine() -> str:
    """What I offered, and how it stands."""
    offers = queries.of_account(db.session(), signed_in_user().account_id)
    return render_template("help_offers/mine.html", offers=offers, living=LIVING_STATES)


@bp.post(f"/account/hulp/<{ID}:offer_id>/intrekken")
@resident_required
def withdraw(offer_id: int) -> Response:
    """Think better of it."""
    found = queries.find(db.session(), offer_id)
    if found is None or found.account_id != signed_in_user().account_id:
        raise NotFound(_("Dit aanbod bestaat niet (meer), of het is niet van jou."))
    with transaction() as session:
        service.withdraw(session, offer_id, actor=current_actor(), now=clock.now())
    flash(_("Je aanbod is ingetrokken. De organisatoren zien je gegevens niet meer."))
    return redirect(url_for(".mine"), HTTPStatus.SEE_OTHER)


@bp.get(f"/account/initiatieven/<{ID}:initiative_id>/hulp")
@resident_required
def index(initiative_id: int) -> str:
    """Who offered what, for the organisers."""
    return _index_page(initiative_id, {})


@bp.post(f"/account/initiatieven/<{ID}:initiative_id>/hulp/<{ID}:offer_id>")
@resident_required
def answer(initiative_id: int, offer_id: int) -> Answer:
    """Accept an offer, or thank for it."""
    user = signed_in_user()
    found = _own_offer(initiative_id, offer_id)
    is_yes = request.form.get("answer") == "accept"
    verb = service.accept if is_yes else service.thank
    try:
        with transaction() as session:
            verb(
                session,
                offer_id,
                actor=current_actor(),
                now=clock.now(),
                by_id=user.account_id,
            )
    except Conflict as error:
        return _index_page(initiative_id, errors_of(error)), int(error.status)
    name = found.name or _("De aanbieder")
    if is_yes:
        flash(_("%(name)s doet mee en krijgt een mail. Neem zelf contact op om af te spreken.", name=name))
    else:
        flash(_("%(name)s krijgt een mail met jullie dank.", name=name))
    return redirect(url_for(".index", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


def _asked(initiative_id: int, need_id: int) -> Need:
    subject = subject_of(db.session(), initiative_id)
    need = queries.need(db.session(), initiative_id, need_id)
    if need is None or not subject.is_public:
        raise NotFound(_("Deze hulp wordt niet (meer) gevraagd. Kijk op de pagina van het initiatief."))
    return need


def _own_offer(initiative_id: int, offer_id: int) -> Offer:
    session = db.session()
    subject_for(session, initiative_id, signed_in_user(), can_answer)
    found = queries.find(session, offer_id)
    if found is None or found.initiative_id != initiative_id:
        raise NotFound(_("Dit aanbod bestaat niet (meer)."))
    return found


def _offer_page(need: Need, values: object, errors: dict[str, str]) -> str:
    user, session = signed_in_user(), db.session()
    return render_template(
        "help_offers/offer.html",
        need=need,
        values=values,
        errors=errors,
        user=user,
        can_offer=can_offer(user, subject_of(session, need.initiative_id)),
        living_offer=queries.living_offer(session, need, user.account_id),
    )


def _index_page(initiative_id: int, errors: dict[str, str]) -> str:
    session = db.session()
    subject = subject_for(session, initiative_id, signed_in_user(), can_answer)
    offers = queries.of_initiative(session, initiative_id)
    return render_template("help_offers/index.html", subject=subject, offers=offers, errors=errors)
