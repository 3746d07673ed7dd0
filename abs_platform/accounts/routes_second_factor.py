# SPDX-License-Identifier: EUPL-1.2
"""Where staff give their second step: a code, a passkey, or a recovery code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus

import structlog
from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.accounts import challenges, passkeys, second_factor
from abs_platform.accounts.login import landing, sign_in_browser
from abs_platform.accounts.queries import is_from_municipality
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, TooManyAttempts
from abs_platform.security import local_path, resident_required, signed_in_user
from abs_platform.users import User

bp = Blueprint("second_factor", __name__)
log = structlog.get_logger()

MAX_TYPED = 60

Answered = Response | str


@bp.get("/inloggen/tweede-stap")
@resident_required
def ask() -> Answered:
    """Ask a member of staff for the second step; who has none yet sets one up."""
    user, database = member_of_staff(), db.session()
    if second_factor.factors_of(database, user.account_id).count > 0 or _may_go_to_municipality(user):
        return _ask_page({})
    return redirect(url_for(".set_up", volgende=next_path() or None))


@bp.post("/inloggen/tweede-stap")
@resident_required
def give_code() -> Answered:
    """Take a code of the app."""
    user, code = member_of_staff(), typed("code")

    def refused(database: Session, now: dt.datetime) -> str:
        right = second_factor.give_app_code(database, user.account_id, code, secret_key=secret_key(), now=now)
        return "" if right else "a code of the app"

    return _give("code", refused, _("Deze code klopt niet, of is al gebruikt. Wacht op de volgende code in je app."))


@bp.post("/inloggen/tweede-stap/herstelcode")
@resident_required
def give_recovery_code() -> Answered:
    """Take a recovery code."""
    user, code = member_of_staff(), typed("recovery_code")

    def refused(database: Session, now: dt.datetime) -> str:
        right = second_factor.give_recovery_code(
            database, user.account_id, code, secret_key=secret_key(), actor=user.actor(), now=now
        )
        return "" if right else "a recovery code"

    return _give("recovery_code", refused, _("Deze herstelcode klopt niet, of is al gebruikt."))


@bp.post("/inloggen/tweede-stap/passkey/opties")
@resident_required
def passkey_question() -> Response:
    """What a browser needs to use a passkey, as JSON."""
    user = member_of_staff()
    challenge = challenges.new("give", user)
    return challenges.as_json(
        passkeys.authentication_options(db.session(), challenges.site(), user.account_id, challenge)
    )


@bp.post("/inloggen/tweede-stap/passkey")
@resident_required
def give_passkey() -> Answered:
    """Take the answer of a passkey."""
    user, answer = member_of_staff(), request.form.get("credential", "")

    def refused(database: Session, now: dt.datetime) -> str:
        challenge = challenges.take("give", user, now)
        return passkeys.give_passkey(
            database, user.account_id, challenges.site(), answer, challenge, secret_key=secret_key(), now=now
        )

    return _give("form", refused, _("Deze passkey is niet geaccepteerd. Probeer het opnieuw of gebruik iets anders."))


def _give(name: str, refused: Callable[[Session, dt.datetime], str], sentence: str) -> Answered:
    """Try a second step, and go on with a new token. What is wrong is committed too, because it counts."""
    user, now, token = member_of_staff(), clock.now(), ""
    try:
        with transaction() as database:
            reason = refused(database, now)
            if not reason:
                token = second_factor.confirm_session(database, user, secret_key=secret_key(), now=now)
    except (InvalidInput, TooManyAttempts, Conflict) as error:
        fields = error.fields if isinstance(error, InvalidInput) else {}
        page = make_response(_ask_page(fields or {name: error.message}), int(error.status))
        if isinstance(error, TooManyAttempts):
            page.headers["Retry-After"] = str(error.retry_after_seconds)
        return page
    if reason:
        log.info("refused", error="WrongSecondFactor", reason=reason, account_id=user.account_id)
        return make_response(_ask_page({name: sentence}), HTTPStatus.UNPROCESSABLE_ENTITY)
    sign_in_browser(token)
    return redirect(next_path() or landing(), HTTPStatus.SEE_OTHER)


def member_of_staff() -> User:
    """Who is signed in and works here. Raises: NotAllowed."""
    user = signed_in_user()
    if not user.is_staff:
        raise NotAllowed(_("Een tweede stap is er alleen voor medewerkers van de gemeente."))
    return user


def secret_key() -> str:
    """The key of the app."""
    settings: Settings = current_app.extensions["settings"]
    return settings.secret_key


def typed(name: str) -> str:
    """What was typed in a field."""
    return request.form.get(name, "")[:MAX_TYPED]


def next_path() -> str:
    """Where somebody was going, or "" when that is nowhere here."""
    return local_path(request.values.get("volgende", ""))


def _may_go_to_municipality(user: User) -> bool:
    """Whether the municipality asked the second step of this session, and can do so again."""
    is_there = "openid_provider" in current_app.extensions
    return is_there and user.has_second_factor and is_from_municipality(db.session(), user.session_id)


def _ask_page(errors: dict[str, str]) -> str:
    factors = second_factor.factors_of(db.session(), member_of_staff().account_id)
    return render_template("accounts/staff/ask.html", errors=errors, factors=factors, next_path=next_path())
