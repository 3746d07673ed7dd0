# SPDX-License-Identifier: EUPL-1.2
"""Signing in at the municipality: there and back, and nothing is done before the way back is the one that was begun."""

from __future__ import annotations

import hmac
from http import HTTPStatus

import structlog
from flask import Blueprint, Flask, current_app, make_response, redirect, render_template, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.accounts import oidc
from abs_platform.accounts.login import landing, sign_in_browser
from abs_platform.config import Settings
from abs_platform.database import transaction
from abs_platform.errors import AbsError, NotAllowed, NotFound
from abs_platform.security import local_path, public

bp = Blueprint("oidc", __name__, url_prefix="/inloggen/gemeente")

log = structlog.get_logger()

_COOKIE = "municipality_sign_in"
MAX_CODE = 4000


@bp.get("")
@public
def start() -> Response:
    """Go to the municipality."""
    begun = _provider().start()
    next_path = local_path(request.args.get("volgende", ""))
    session[_COOKIE] = [begun.state, begun.nonce, begun.verifier, next_path]
    answer = redirect(begun.url)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/terug")
@public
def back() -> Response:
    """Where the municipality sends a browser back to. Looking does nothing: the page sends what it got as a form."""
    _provider()
    _ensure_same(request.args.get("state", ""), session.get(_COOKIE))
    issuer = request.args.get("iss")  # RFC 9207
    if "error" in request.args or (issuer is not None and issuer != _provider().settings.issuer):
        raise NotAllowed(
            _("Je bent niet ingelogd bij de gemeente. Begin opnieuw, of log in met een mail."),
            staff_reason=f"the provider answered {request.args.get('error', 'as another issuer')[:80]}",
        )
    page = render_template(
        "accounts/staff/municipality_back.html",
        state=request.args["state"],
        code=request.args.get("code", "")[:MAX_CODE],
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/terug")
@public
def finish() -> Response:
    """Exchange what came back for who it is, once, and sign in."""
    begun = session.pop(_COOKIE, None)
    _ensure_same(request.form.get("state", ""), begun)
    _state, nonce, verifier, next_path = begun
    now = clock.now()
    identity = _provider().finish(request.form.get("code", "")[:MAX_CODE], nonce, verifier, now=now)
    with transaction() as database:
        token = oidc.sign_in(
            database,
            identity,
            user_agent=request.headers.get("User-Agent", ""),
            secret_key=_settings().secret_key,
            now=now,
        )
    sign_in_browser(token)
    return redirect(next_path or landing(), HTTPStatus.SEE_OTHER)


@bp.errorhandler(AbsError)
def _not_signed_in(error: AbsError) -> Response:
    """Say what happened, and offer the other way in."""
    if error.staff_reason:
        log.info("refused", error=type(error).__name__, reason=error.staff_reason)
    page = render_template("accounts/staff/municipality_failed.html", message=error.message)
    return make_response(page, int(error.status))


def _ensure_same(state: str, begun: list[str] | None) -> None:
    """Only the browser that began may come back, once. Raises: NotAllowed."""
    if not begun or not state.isascii() or not hmac.compare_digest(state, begun[0]):
        raise NotAllowed(
            _("Deze inlog is al gebruikt, of begon in een andere browser. Begin opnieuw."), staff_reason="another state"
        )


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _provider() -> oidc.Provider:
    """The provider. Raises: NotFound when there is none."""
    provider: oidc.Provider | None = current_app.extensions.get("openid_provider")
    if provider is None:
        raise NotFound(_("Inloggen via de gemeente kan hier niet. Log in met een mail."))
    return provider


def init_app(app: Flask, settings: Settings) -> None:
    """Know the provider, and let pages know that there is one."""
    if settings.openid is not None:
        redirect_uri = f"{settings.base_url}{bp.url_prefix}/terug"
        app.extensions["openid_provider"] = oidc.Provider(settings.openid, redirect_uri)
    app.jinja_env.globals["has_oidc"] = settings.openid is not None
    app.register_blueprint(bp)
