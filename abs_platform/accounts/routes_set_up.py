# SPDX-License-Identifier: EUPL-1.2
"""Where staff set up their second step, add to it and take from it: only just after proving who they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus

import segno
from flask import flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.accounts import app_codes, challenges, passkeys, second_factor
from abs_platform.accounts.login import sign_in_browser
from abs_platform.accounts.routes_second_factor import Answered, bp, member_of_staff, next_path, secret_key, typed
from abs_platform.accounts.second_factor import SecondFactorNotFresh, SignInNotFresh
from abs_platform.accounts.service import end_session
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, TooManyAttempts
from abs_platform.security import resident_required
from abs_platform.users import User

__all__ = ["bp"]

_ID = "int(max=9223372036854775807)"
_OFFER = "second_factor_offer"


@bp.get("/account/tweede-stap")
@resident_required
def set_up() -> Answered:
    """Show what is set up, and how to add to it."""
    second_factor.ensure_fresh(db.session(), member_of_staff(), now=clock.now())
    return _set_up_page({})


@bp.post("/account/tweede-stap/app")
@resident_required
def add_app() -> Answered:
    """Keep the app that made this code."""
    offer, code = session.get(_OFFER, ""), typed("code")
    return _add(
        lambda database, user, now: second_factor.confirm_app(
            database, user, offer, code, secret_key=secret_key(), actor=user.actor(), now=now
        ),
        _("Je app is ingesteld."),
    )


@bp.post("/account/tweede-stap/app/verwijderen")
@resident_required
def remove_app() -> Answered:
    """Forget the app."""
    return _remove(lambda database, user, now: second_factor.remove_app(database, user, actor=user.actor(), now=now))


@bp.post("/account/tweede-stap/passkeys/opties")
@resident_required
def new_passkey_question() -> Response:
    """What a browser needs to make a passkey, as JSON."""
    user = member_of_staff()
    second_factor.ensure_fresh(db.session(), user, now=clock.now())
    challenge = challenges.new("add", user)
    return challenges.as_json(
        passkeys.registration_options(db.session(), challenges.site(), user, challenge, secret_key=secret_key())
    )


@bp.post("/account/tweede-stap/passkeys")
@resident_required
def add_passkey() -> Answered:
    """Keep a new passkey."""
    made, name = request.form.get("credential", ""), typed("name")

    def keep(database: Session, user: User, now: dt.datetime) -> bool:
        challenge = challenges.take("add", user, now)
        passkeys.add_passkey(
            database,
            user,
            challenges.site(),
            made,
            challenge,
            name=name,
            secret_key=secret_key(),
            actor=user.actor(),
            now=now,
        )
        return True

    return _add(keep, _("Je passkey is toegevoegd."))


@bp.post(f"/account/tweede-stap/passkeys/<{_ID}:passkey_id>/verwijderen")
@resident_required
def remove_passkey(passkey_id: int) -> Answered:
    """Forget a passkey."""
    return _remove(
        lambda database, user, now: passkeys.remove_passkey(database, user, passkey_id, actor=user.actor(), now=now)
    )


@bp.post("/account/tweede-stap/herstelcodes")
@resident_required
def make_recovery_codes() -> Answered:
    """New recovery codes, shown once."""
    user = member_of_staff()
    try:
        with transaction() as database:
            codes = second_factor.make_recovery_codes(database, user, actor=user.actor(), now=clock.now())
    except Conflict as error:
        return _set_up_again(error)
    return _codes_page(codes)


@bp.post("/account/tweede-stap/opnieuw-inloggen")
@resident_required
def sign_in_again() -> Response:
    """End this session, and lead to signing in and back."""
    user = member_of_staff()
    with transaction() as database:
        end_session(database, user.account_id, user.session_id, now=clock.now())
    session.clear()
    return redirect(url_for("accounts.sign_in", volgende=url_for(".set_up")), HTTPStatus.SEE_OTHER)


@bp.errorhandler(SignInNotFresh)
def _not_fresh(error: SignInNotFresh) -> Answered:
    """Say what must come first; who only looks and has a second step goes straight to giving it."""
    needs_factor = isinstance(error, SecondFactorNotFresh)
    if needs_factor and request.method == "GET":
        return redirect(url_for(".ask", volgende=url_for(".set_up")))
    page = render_template("accounts/staff/again.html", message=error.message, needs_factor=needs_factor)
    return make_response(page, HTTPStatus.FORBIDDEN)


def _add(keep: Callable[[Session, User, dt.datetime], bool], message: str) -> Answered:
    """Keep a new second step, and go on with a new token, past the recovery codes if there are new ones."""
    user, now, token = member_of_staff(), clock.now(), ""
    codes: list[str] = []
    try:
        with transaction() as database:
            if keep(database, user, now):
                token, codes = second_factor.finish_set_up(
                    database, user, secret_key=secret_key(), actor=user.actor(), now=now
                )
    except (InvalidInput, TooManyAttempts, Conflict) as error:
        return _set_up_again(error)
    if not token:
        sentence = _("Deze code klopt niet. Kijk of je de goede QR-code hebt gescand.")
        return _set_up_again(InvalidInput(sentence, fields={"code": sentence}))
    sign_in_browser(token)
    return _codes_page(codes) if codes else _to_set_up(message)


def _remove(verb: Callable[[Session, User, dt.datetime], None]) -> Answered:
    user = member_of_staff()
    try:
        with transaction() as database:
            verb(database, user, clock.now())
    except Conflict as error:
        return _set_up_again(error)
    return _to_set_up(_("Het is weggehaald."))


def _to_set_up(message: str) -> Response:
    flash(message)
    return redirect(url_for(".set_up", volgende=next_path() or None), HTTPStatus.SEE_OTHER)


def _codes_page(codes: list[str]) -> str:
    return render_template("accounts/staff/recovery_codes.html", codes=codes, next_path=next_path())


def _set_up_page(errors: dict[str, str]) -> str:
    """The offered secret stays the same while its owner scans, types and mistypes."""
    user, now = member_of_staff(), clock.now()
    secret = app_codes.read_offered(secret_key(), user.account_id, session.get(_OFFER, ""), now=now)
    if secret is None:
        session[_OFFER] = app_codes.offer_secret(secret_key(), user.account_id)
        secret = app_codes.read_offered(secret_key(), user.account_id, session[_OFFER], now=now) or ""
    uri = app_codes.provisioning_uri(secret, user.email, challenges.site().name)
    return render_template(
        "accounts/staff/set_up.html",
        errors=errors,
        factors=second_factor.factors_of(db.session(), user.account_id),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        qr=segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="white"),
        next_path=next_path(),
    )


def _set_up_again(error: AbsError) -> Response:
    fields = error.fields if isinstance(error, InvalidInput) else {}
    return make_response(_set_up_page(fields or {"form": error.message}), int(error.status))
