# SPDX-License-Identifier: EUPL-1.2
"""What givers get of an initiative: thanks, all its updates to read, and the link that stops the mails."""

from __future__ import annotations

from http import HTTPStatus

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.extensions import csrf
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.queries import card
from abs_platform.initiatives.subjects import subject_for, subject_of
from abs_platform.media.queries import pictures_of_updates
from abs_platform.security import current_actor, public, resident_required, signed_in_user, user_or_none
from abs_platform.updates import mailing, queries, service
from abs_platform.updates.permissions import can_hide, can_tell
from abs_platform.updates.routes import Answer, mailed
from abs_platform.updates.routes_photos import bp
from abs_platform.updates.schemas import ThanksForm
from abs_platform.updates.states import THANKING_STATES

ID = "int(max=9223372036854775807)"
__all__ = ["bp"]

_HOME = f"/account/initiatieven/<{ID}:initiative_id>"


@bp.get(f"{_HOME}/bedanken")
@resident_required
def ask_thank(initiative_id: int) -> str:
    """Write to all givers, and see how many get it by mail."""
    subject = subject_for(db.session(), initiative_id, signed_in_user(), can_tell)
    return _thank_page(subject, {}, {})


@bp.post(f"{_HOME}/bedanken")
@resident_required
def thank(initiative_id: int) -> Answer:
    """Thank them, once. First it is shown with the number of mails; the second press sends it."""
    user = signed_in_user()
    subject = subject_for(db.session(), initiative_id, user, can_tell)
    try:
        body = load(ThanksForm(), request.form)["body"]
        if "send" not in request.form:
            return _thank_page(subject, {"body": body}, {}, preview=body)
        with transaction() as session:
            number = service.thank(
                session,
                initiative_id,
                body,
                author_id=user.account_id,
                secret_key=_secret_key(),
                actor=current_actor(),
                now=clock.now(),
            )
    except (InvalidInput, Conflict) as error:
        return _thank_page(subject, request.form, errors_of(error)), int(error.status)
    flash(mailed(number, _("Jullie dank staat op de pagina.")))
    return redirect(url_for("organisers.home", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


@bp.get(f"/initiatieven/<{ID}:initiative_id>/berichten")
@public
def public_index(initiative_id: int) -> str:
    """All updates of an initiative, the newest first."""
    session = db.session()
    found = card(session, initiative_id, today=clock.today())
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer). Zoek verder bij de initiatieven."))
    number = request.args.get("pagina", "")
    page = queries.posted_page(session, initiative_id, int(number) if number.isdecimal() and len(number) < 7 else 1)
    pictures = pictures_of_updates(session, [update.id for update in page.items])
    user = user_or_none()
    may_hide = user is not None and user.is_staff and can_hide(user, subject_of(session, initiative_id))
    return render_template("updates/public.html", initiative=found, page=page, pictures=pictures, may_hide=may_hide)


@bp.get("/nieuws-stoppen/<token>")
@public
def stop_news(token: str) -> str:
    """Ask for the one click that stops the mails. A GET changes nothing: mail programs follow links by themselves."""
    return render_template("updates/stop_news.html", token=token, title=_gift_of(token)[1], is_done=False)


@bp.post("/nieuws-stoppen/<token>")
@csrf.exempt
@public
def stop_news_now(token: str) -> str:
    """Stop them; also the one click of a mail program (RFC 8058), which has no session."""
    donation_id, title = _gift_of(token)
    with transaction() as session:
        service.stop_news(session, donation_id, secret_key=_secret_key(), now=clock.now())
    return render_template("updates/stop_news.html", token=token, title=title, is_done=True)


def _gift_of(token: str) -> tuple[int, str]:
    donation_id = mailing.read_stop_token(_secret_key(), token)
    found = None if donation_id is None else queries.initiative_of_gift(db.session(), donation_id)
    if donation_id is None or found is None:
        raise NotFound(_("Deze link werkt niet (meer). Gebruik de link onderaan een mail van ons."))
    return donation_id, found[1]


def _thank_page(subject: Subject, values: object, errors: dict[str, str], preview: str = "") -> str:
    session = db.session()
    return render_template(
        "updates/thank.html",
        subject=subject,
        values=values,
        errors=errors,
        preview=preview,
        can_thank=subject.state in THANKING_STATES,
        thanks=queries.thanks_of(session, subject.id),
        recipients=len(queries.news_recipients(session, subject.id)),
        initiative=card(session, subject.id, today=clock.today()),
    )


def _secret_key() -> str:
    secret_key: str = current_app.extensions["settings"].secret_key
    return secret_key
