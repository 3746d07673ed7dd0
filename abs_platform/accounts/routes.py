# SPDX-License-Identifier: EUPL-1.2
"""Signing in and out: an address, a mail, and its link or code in the browser that asked. A GET uses nothing up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import logout_user
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import clock
from abs_platform.accounts import login, queries, service
from abs_platform.accounts.models import SignInRequest
from abs_platform.accounts.schemas import MAX_TYPED, CodeForm, EmailForm, load, tidy
from abs_platform.accounts.service import SignedIn
from abs_platform.accounts.states import CODE_TRIES, Refusal
from abs_platform.database import db, transaction
from abs_platform.errors import InvalidInput, TooManyAttempts
from abs_platform.languages import current_language
from abs_platform.security import local_path, public, request_client, user_or_none

bp = Blueprint("accounts", __name__)

Answered = str | Response | WerkzeugResponse
# In the cookie of a browser that asked for a mail: which mail, and the secret that ties its link to this browser.
_REQUEST, _BROWSER = "sign_in_request", "sign_in_browser"


@dataclass(slots=True)
class SignInForm:
    """What was typed, where to go on to afterwards, and what is wrong."""

    email: str = ""
    next_path: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@bp.after_request
def _keep_out_of_caches(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/inloggen")
@public
def sign_in() -> Answered:
    """Ask for an e-mail address. Whoever is signed in already goes on."""
    next_path = local_path(request.args.get("volgende", ""))
    if user_or_none():
        return go_on(next_path)
    return _sign_in_page(SignInForm(next_path=next_path), has_left="uitgelogd" in request.args)


@bp.post("/inloggen")
@public
def ask() -> Answered:
    """Send a mail. Known or not: the answer and the work are the same, and an account is made only at signing in."""
    typed = tidy(request.form.get("email", ""))[:MAX_TYPED]
    form = SignInForm(typed, local_path(request.form.get("volgende", "")))
    if user_or_none():
        return go_on(form.next_path)
    browser = session.get(_BROWSER) or secrets.token_urlsafe(24)
    try:
        email = load(EmailForm, request.form)
        with transaction() as database:
            asked = service.ask_to_sign_in(
                database,
                email,
                browser,
                client=request_client()[0],
                next_path=form.next_path,
                secret_key=_secret_key(),
                now=clock.now(),
                language=current_language(),
            )
    except InvalidInput as error:
        form.errors = error.fields
        return _answer(_sign_in_page(form), error.status)
    except TooManyAttempts as error:
        form.errors = {"email": _("%(sentence)s Heb je al een mail? Die kun je nog gebruiken.", sentence=error.message)}
        return _answer(_sign_in_page(form), error.status, retry_after=error.retry_after_seconds)
    session[_BROWSER], session[_REQUEST] = browser, asked.request_id
    return redirect(url_for("accounts.enter_code"), HTTPStatus.SEE_OTHER)


@bp.get("/inloggen/code")
@public
def enter_code() -> Answered:
    """Ask for the code of the mail that this browser asked for."""
    if user_or_none():
        return go_on("")
    mail, browser = _own_request(), session.get(_BROWSER, "")
    if mail is None:
        return redirect(url_for("accounts.sign_in"))
    refused = service.why_refused(mail, browser, _secret_key(), clock.now())
    return _code_page(mail, refused, {"form": refused.label} if refused else {})


@bp.post("/inloggen/code")
@public
def try_code() -> Answered:
    """Sign in with the code; a wrong one counts."""
    if user_or_none():
        return go_on("")
    mail, browser = _own_request(), session.get(_BROWSER, "")
    if mail is None:
        return redirect(url_for("accounts.sign_in"), HTTPStatus.SEE_OTHER)
    try:
        code = load(CodeForm, request.form)
    except InvalidInput as error:
        return _answer(_code_page(mail, None, error.fields), error.status)
    with transaction() as database:
        result = service.sign_in_by_code(
            database,
            mail.id,
            code,
            browser,
            user_agent=request.user_agent.string,
            secret_key=_secret_key(),
            now=clock.now(),
        )
    if isinstance(result, SignedIn):
        return _enter(result)
    if result == Refusal.WRONG_CODE:
        return _answer(_code_page(mail, None, {"code": _wrong_code(mail)}), HTTPStatus.UNPROCESSABLE_ENTITY)
    return _answer(_code_page(mail, result, {"form": result.label}), HTTPStatus.CONFLICT)


@bp.get("/inloggen/link/<token>")
@public
def link(token: str) -> Answered:
    """One button: programs that look at mails follow links, and must not use this one up."""
    if user_or_none():
        return go_on("")
    return _link_page(token, _why_link_refused(token))


@bp.post("/inloggen/link/<token>")
@public
def use_link(token: str) -> Answered:
    """Sign in with the link."""
    if user_or_none():
        return go_on("")
    with transaction() as database:
        result = service.sign_in_by_link(
            database,
            token,
            session.get(_BROWSER, ""),
            user_agent=request.user_agent.string,
            secret_key=_secret_key(),
            now=clock.now(),
        )
    if isinstance(result, SignedIn):
        return _enter(result)
    return _answer(_link_page(token, result), HTTPStatus.CONFLICT)


@bp.post("/uitloggen")
@public
def sign_out() -> Answered:
    """End the session in the database, and empty the cookie."""
    user = user_or_none()
    if user:
        with transaction() as database:
            service.end_session(database, user.account_id, user.session_id, now=clock.now())
    leave_browser()
    return redirect(url_for("accounts.sign_in", uitgelogd="ja"), HTTPStatus.SEE_OTHER)


def leave_browser() -> None:
    """Take everything of a person out of the cookie of this browser."""
    logout_user()
    session.clear()


def go_on(next_path: str) -> WerkzeugResponse:
    """To where somebody was going, or to the own desk or account."""
    return redirect(local_path(next_path) or login.landing(), HTTPStatus.SEE_OTHER)


def _enter(signed_in: SignedIn) -> WerkzeugResponse:
    login.sign_in_browser(signed_in.token)
    if signed_in.is_new:
        welcome = url_for("accounts.welcome", volgende=local_path(signed_in.next_path) or None)
        return redirect(welcome, HTTPStatus.SEE_OTHER)
    return go_on(signed_in.next_path)


def _own_request() -> SignInRequest | None:
    """The mail that this browser asked for last, if it still knows so."""
    request_id = session.get(_REQUEST)
    return queries.sign_in_request(db.session(), request_id) if isinstance(request_id, int) else None


def _why_link_refused(token: str) -> Refusal | None:
    digest = service.digest(_secret_key(), "sign-in link", token)
    mail = queries.sign_in_request_of_link(db.session(), digest)
    if mail is None:
        return Refusal.UNKNOWN
    return service.why_refused(mail, session.get(_BROWSER, ""), _secret_key(), clock.now())


def _wrong_code(mail: SignInRequest) -> str:
    left = CODE_TRIES - mail.failed_count
    tries = ngettext("Je kunt het nog %(num)s keer proberen.", "Je kunt het nog %(num)s keer proberen.", left)
    return f"{Refusal.WRONG_CODE.label} {tries}"


def _secret_key() -> str:
    key: str = current_app.extensions["settings"].secret_key
    return key


def _sign_in_page(form: SignInForm, *, has_left: bool = False) -> str:
    return render_template("accounts/sign_in.html", form=form, has_left=has_left)


def _code_page(mail: SignInRequest, refused: Refusal | None, errors: dict[str, str]) -> str:
    has_demo_mail = (
        "mail.index" in current_app.view_functions and current_app.extensions["settings"].mail_server is None
    )
    return render_template("accounts/code.html", mail=mail, refused=refused, errors=errors, has_demo_mail=has_demo_mail)


def _link_page(token: str, refused: Refusal | None) -> str:
    return render_template("accounts/link.html", token=token, refused=refused)


def _answer(page: str, status: HTTPStatus, *, retry_after: int | None = None) -> Response:
    response = make_response(page, status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
