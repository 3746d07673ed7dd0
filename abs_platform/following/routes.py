# SPDX-License-Identifier: EUPL-1.2
"""Asking to follow, and the links of the mails that confirm and stop. A GET changes nothing: programs follow links."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import InvalidInput, NotFound, TooManyAttempts
from abs_platform.extensions import csrf
from abs_platform.following import links, queries, service
from abs_platform.following.queries import NamedTopic
from abs_platform.following.schemas import AskForm, ChoiceForm, EmailForm
from abs_platform.following.states import MOST_TOPICS, UNCONFIRMED_KEPT, FollowKind, Topic
from abs_platform.form_input import errors_of, load
from abs_platform.households.address_fields import checked_postcode
from abs_platform.initiatives.states import Theme
from abs_platform.languages import current_language
from abs_platform.security import public, request_client, user_or_none

bp = Blueprint("following", __name__)

Answer = str | WerkzeugResponse | tuple[str, int]
_TOO_LONG = 500


@bp.after_request
def _keep_out_of_caches(response: Response) -> Response:
    """These pages have a form, or are one person's own; no search engine has to know their addresses."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@bp.get("/volgen")
@public
def ask() -> str:
    """What would you like to follow? The address may choose already: ``wat=gebied:12``, ``thema:green``."""
    return _ask_page(request.args.getlist("wat"), {}, {})


@bp.post("/volgen")
@public
def send() -> Answer:
    """Mail a link that confirms; who is signed in has proven the address already."""
    user = user_or_none()
    try:
        typed = load(ChoiceForm() if user else AskForm(), as_sent())
        topics = chosen_topics(db.session(), typed, least=1)
        with transaction() as session:
            now, language = clock.now(), current_language()
            if user:
                service.follow(session, user.email, topics, language=language, now=now)
            else:
                client = request_client()[0]
                service.ask(
                    session, typed["email"], topics, language=language, client=client, secret_key=secret_key(), now=now
                )
    except (InvalidInput, TooManyAttempts) as error:
        return _ask_page(request.form.getlist("wat"), request.form, errors_of(error)), int(error.status)
    if user:
        flash(_("Gelukt. Dit volg je nu."))
    return redirect(url_for(".mine" if user else ".asked"), HTTPStatus.SEE_OTHER)


@bp.get("/volgen/gevraagd")
@public
def asked() -> str:
    """The same for everybody: whether an address was known is nobody's business."""
    return render_template("following/asked.html", days=UNCONFIRMED_KEPT.days)


@bp.get("/volgen/link")
@public
def ask_link() -> str:
    """For who lost the mail: the link to the page of choices once more."""
    return render_template("following/ask_link.html", values={}, errors={})


@bp.post("/volgen/link")
@public
def send_link() -> Answer:
    """Mail it, if there is anything to choose."""
    try:
        typed = load(EmailForm(), request.form)
        with transaction() as session:
            service.ask_link(
                session,
                typed["email"],
                language=current_language(),
                client=request_client()[0],
                secret_key=secret_key(),
                now=clock.now(),
            )
    except (InvalidInput, TooManyAttempts) as error:
        page = render_template("following/ask_link.html", values=request.form, errors=errors_of(error))
        return page, int(error.status)
    return redirect(url_for(".link_asked"), HTTPStatus.SEE_OTHER)


@bp.get("/volgen/link/gevraagd")
@public
def link_asked() -> str:
    """The same for everybody."""
    return render_template("following/link_asked.html")


@bp.get("/volgen/bevestigen/<token>")
@public
def confirm(token: str) -> str:
    """One button."""
    follower_id, follow_ids = _confirmed_by(token)
    topics = queries.asked_topics(db.session(), follower_id, follow_ids, clock.now() - UNCONFIRMED_KEPT)
    if not topics:
        raise NotFound(_("Deze link werkt niet meer. Vraag het opnieuw aan, dan krijg je een nieuwe mail."))
    return render_template("following/confirm.html", token=token, topics=topics)


@bp.post("/volgen/bevestigen/<token>")
@public
def confirm_now(token: str) -> Answer:
    """Follow it, and see what else there is to choose."""
    follower_id, follow_ids = _confirmed_by(token)
    with transaction() as session:
        service.confirm(session, follower_id, follow_ids, now=clock.now())
    flash(_("Gelukt. Dit volg je nu."))
    return redirect(url_for(".manage", token=links.manage_token(secret_key(), follower_id)), HTTPStatus.SEE_OTHER)


@bp.get("/volgen/stoppen/<token>")
@public
def stop(token: str) -> str:
    """Ask for the one click that stops the mails."""
    follower_id = _stopped_by(token)
    is_done = queries.follower(db.session(), follower_id) is None
    return render_template("following/stop.html", token=token, is_done=is_done)


@bp.post("/volgen/stoppen/<token>")
@csrf.exempt
@public
def stop_now(token: str) -> str:
    """Stop them; also the one click of a mail program (RFC 8058), which has no session."""
    follower_id = _stopped_by(token)
    with transaction() as session:
        service.stop(session, follower_id)
    return render_template("following/stop.html", token=token, is_done=True)


def _confirmed_by(token: str) -> tuple[int, list[int]]:
    found = links.read_confirm(secret_key(), token)
    if found is None:
        raise NotFound(_("Deze link werkt niet. Gebruik de link in een mail van ons."))
    return found


def _stopped_by(token: str) -> int:
    follower_id = links.read_stop(secret_key(), token)
    if follower_id is None:
        raise NotFound(_("Deze link werkt niet. Gebruik de link onderaan een mail van ons."))
    return follower_id


def as_sent() -> dict[str, Any]:
    """The form, with all values of what may be ticked more than once."""
    return request.form.to_dict() | {name: request.form.getlist(name) for name in ("wat", "thema")}


def chosen_topics(session: Session, typed: dict[str, Any], *, least: int) -> list[NamedTopic]:
    """What a form chooses. Raises: InvalidInput for a postcode that is not of here, and for too little or too much."""
    themes = [Topic(FollowKind.THEME, theme=theme).key for theme in typed["thema"]]
    topics = queries.find_topics(session, [*typed["wat"], typed["gebied"], *themes])
    if typed["postcode"]:
        here = queries.neighbourhood_of(session, checked_postcode(typed["postcode"]))
        if here is None:
            message = _("We kennen deze postcode niet. Kies je wijk of dorp uit de lijst.")
            raise InvalidInput(message, fields={"postcode": message})
        topics = [one for one in topics if one.topic != here.topic] + [here]
    if len(topics) > MOST_TOPICS:
        raise InvalidInput(_("Dit is te veel. Kies hoogstens %(most)s dingen om te volgen.", most=MOST_TOPICS))
    if len(topics) < least:
        message = _("Kies wat je wilt volgen.")
        raise InvalidInput(message, fields={"gebied": message})
    return topics


def choices(session: Session, named: list[NamedTopic], chosen: Any = None) -> dict[str, Any]:
    """What the fields of choosing show: what was named with a box each, and every theme with one.

    ``chosen``: the form as it was sent, which says what of it is ticked; without one all of it is.
    """
    ticked = {one.topic.key for one in named}
    if chosen:
        ticked = set(chosen.getlist("wat")) | {f"thema:{theme}" for theme in chosen.getlist("thema")}
    return {
        "named": [one for one in named if one.topic.kind != FollowKind.THEME],
        "themes": list(Theme),
        "ticked": ticked,
        "areas": queries.areas_to_choose(session),
    }


def _ask_page(keys: list[str], values: Any, errors: dict[str, str]) -> str:
    session, user = db.session(), user_or_none()
    named = queries.find_topics(session, [key for key in keys if len(key) <= _TOO_LONG])
    return render_template(
        "following/ask.html",
        **choices(session, named, values),
        email=user.email if user else None,
        values=values,
        errors=errors,
    )


def secret_key() -> str:
    """What signs the links."""
    key: str = current_app.extensions["settings"].secret_key
    return key
