# SPDX-License-Identifier: EUPL-1.2
"""Who may enter: deny by default, every route states it; and the headers and origin checks of every answer."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.config import Settings
from abs_platform.errors import NotAllowed
from abs_platform.logs import request_id_of
from abs_platform.map_tiles import MapTiles
from abs_platform.payment_settings import PaymentSettings
from abs_platform.users import Role, User

View = TypeVar("View", bound=Callable[..., Any])

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:{tiles_at}; "
    "form-action 'self'{pay_at}; "
    "object-src 'none'; frame-ancestors 'none'; base-uri 'none'"
)
PAY_AT = "https://checkout.stripe.com"
SAME_FOR_ALL = {"static", "media.picture", "illustrations.show", "app.style", "sharing.picture", "sharing.qr"}
SAME_FOR_ALL |= {"pages.healthz", "pages.readyz"}
SAME_FOR_ALL |= {"machines.robots", "machines.security_txt", "machines.sitemap", "machines.sitemap_file"}
_ACCESS = "_abs_access"
MAX_NEXT_PATH = 500
SEEN_AT = "seen_at"
STAFF_IDLE_SECONDS = 3600
_WITH_PORT = re.compile(r"([\d.]+):\d+|\[([^\]%]+)[^\]]*\](?::\d+)?")


def public(view: View) -> View:
    """Mark a route as open to anyone."""
    setattr(view, _ACCESS, "public")
    return view


def webhook(view: View) -> View:
    """Mark a route as open to a machine that signs what it sends: the route checks that before anything else."""
    setattr(view, _ACCESS, "webhook")
    return view


def resident_required(view: View) -> View:
    """Mark a route as open to whoever is signed in. Which objects are theirs, the predicates of each feature say."""
    setattr(view, _ACCESS, "resident")
    return view


def staff_required(*roles: str) -> Callable[[View], View]:
    """Mark a route as open to staff with one of these roles (``Role`` or its value), who gave a second factor."""
    known = frozenset(Role(role) for role in roles)

    def mark(view: View) -> View:
        setattr(view, _ACCESS, f"staff:{','.join(sorted(known))}")
        return view

    return mark


def signed_in_user() -> User:
    """Who is signed in. Only for routes that require it. Raises: NotAllowed."""
    user = user_or_none()
    if user is None:
        raise NotAllowed(_("Log eerst in. Daarna kun je verder."))
    return user


def user_or_none() -> User | None:
    """Who is signed in, or None."""
    user = current_user._get_current_object()
    return user if isinstance(user, User) else None


def current_actor() -> Actor:
    """Who does this, for the event log."""
    return signed_in_user().actor()


def local_path(path: str) -> str:
    """A path on this site to go on to, or "" for anything that could lead elsewhere (open redirect)."""
    if len(path) > MAX_NEXT_PATH or not path.startswith("/") or path.startswith(("//", "/\\")) or "\\" in path:
        return ""
    if not path.isprintable() or any(character.isspace() for character in path):
        return ""
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else ""


def access_of(app: Flask, endpoint: str) -> str | None:
    """Who may enter a route, or None when it does not state it."""
    view = app.view_functions[endpoint]
    methods = (getattr(getattr(view, "view_class", None), method, None) for method in ("get", "post"))
    stated: str | None = getattr(view, _ACCESS, None)
    return stated or next((getattr(method, _ACCESS) for method in methods if hasattr(method, _ACCESS)), None)


def _refuse_cross_site() -> None:
    """Refuse every form that another site sends here; forms with a session carry a CSRF token besides.

    Browsers tell where a request comes from (Sec-Fetch-Site, else Origin), and a page of another site cannot forge it;
    see Go's net/http.CrossOriginProtection and the OWASP CSRF cheat sheet. The API has no session and reads JSON only,
    which other sites may not send. Raises: NotAllowed.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"} or request.path.startswith("/api/"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    else:
        origin = request.headers.get("Origin")
        allowed = origin is None or origin.partition("://")[2] == request.host
    if not allowed:
        raise NotAllowed(_("Dit formulier kwam van een andere site. Open onze site zelf en probeer het nog een keer."))


def client_digests(secret_key: str, address: str | None, today: date, yesterday: date) -> tuple[bytes, bytes]:
    """Keyed digests of a client for today and yesterday: who we count wrong codes of, without keeping an address.

    The key rotates daily. A client is an IPv4 address, or the /64 network of an IPv6 one.
    """
    network = _network_of(address or "")
    daily_keys = (f"client:{day.isoformat()}:{secret_key}".encode() for day in (today, yesterday))
    now, before = (hmac.digest(key, network.encode(), hashlib.sha256)[:16] for key in daily_keys)
    return now, before


def _network_of(address: str) -> str:
    """The network of a client. Some proxies write the port behind the address."""
    found = _WITH_PORT.fullmatch(address)
    try:
        ip = ipaddress.ip_address((found[1] or found[2]) if found else address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    return str(ipaddress.ip_network(f"{ip}/64", strict=False)) if ip.version == 6 else str(ip)


def request_client() -> tuple[bytes, bytes]:
    """The digests of whoever sends this request, for today and yesterday."""
    settings: Settings = current_app.extensions["settings"]
    today = clock.today()
    return client_digests(settings.secret_key, request.remote_addr, today, today - timedelta(days=1))


def _start_request() -> None:
    g.request_id = request_id_of(request.headers.get("X-Request-ID", ""))
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _refuse_other_hosts() -> None:
    """Only the public name of the site leads here, so that no link of ours can carry another; probes may use any."""
    settings: Settings = current_app.extensions["settings"]
    if request.endpoint not in {"pages.healthz", "pages.readyz"} and request.host != urlsplit(settings.base_url).netloc:
        raise BadRequest


def _guard() -> Response | None:
    """Deny by default; ask to sign in, and staff for their second factor, where the route says so."""
    if request.endpoint is None:
        return None
    access = access_of(current_app, request.endpoint)
    if access is None:
        raise NotAllowed(_("Je mag deze pagina niet openen."))
    if access in {"public", "webhook"}:
        return None
    user = user_or_none()
    if user is None:
        return _ask_first("accounts.sign_in", _("Log eerst in. Daarna kun je verder."))
    if access.startswith("staff:"):
        if user.roles.isdisjoint(access.removeprefix("staff:").split(",")):
            raise NotAllowed(_("Deze pagina is voor medewerkers met een andere taak."))
        if not user.has_second_factor or _was_idle():
            message = _("Bevestig eerst dat jij het bent. Daarna kun je verder.")
            return _ask_first("second_factor.ask", message)
        session[SEEN_AT] = int(clock.now().timestamp())
    return None


def _was_idle() -> bool:
    """Whether a member of staff did nothing for an hour: the second factor is asked again."""
    return bool(clock.now().timestamp() - session.get(SEEN_AT, 0) > STAFF_IDLE_SECONDS)


def _ask_first(endpoint: str, message: str) -> Response:
    """Lead a reader to what must come first, and back here afterwards. A form cannot be sent again: it says so."""
    if request.method not in {"GET", "HEAD"}:
        raise NotAllowed(message)
    path = local_path(request.script_root + request.full_path.rstrip("?"))
    answer: Response = redirect(url_for(endpoint, volgende=path or None))  # type: ignore[assignment]
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _is_same_for_all() -> bool:
    """Whether this answer is the same whoever asks: files, probes and the API."""
    return request.endpoint in SAME_FOR_ALL or request.path.startswith("/api/")


class _Sessions(SecureCookieSessionInterface):
    """No cookie goes with what a cache may keep for all: it would give one visitor the cookie of another."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not _is_same_for_all() and not response.cache_control.public:
            super().save_session(app, session, response)


def _keep_private(response: Response) -> Response:
    """What only one person may see is kept by no cache; neither is any page while somebody is signed in.

    What does not say that it is for all belongs to who asked. Browsers keep a lasting redirect for good unless told
    otherwise; a title that changes back would lead in circles.
    """
    if not _is_same_for_all() or response.mimetype == "text/html":  # then it is the page of an error
        is_signed_in = isinstance(g.get("_login_user"), User)  # loaded already: no query here
        response.headers.setdefault("Cache-Control", "no-store" if is_signed_in else "private, no-cache")
    return response


def content_security_policy(payments: PaymentSettings | None, tiles: MapTiles | None = None) -> str:
    """What a page of ours may load, and where its forms lead: here, and from here to where gifts are paid.

    Some browsers hold a redirect after a form to form-action too. The background of the map is the one thing that may
    come from elsewhere.
    """
    pay_at = "" if payments is None else f" {payments.api_url if payments.is_stand_in else PAY_AT}"
    return CONTENT_SECURITY_POLICY.format(pay_at=pay_at, tiles_at=f" {tiles.origin}" if tiles else "")


def _add_headers(response: Response) -> Response:
    headers = response.headers
    settings: Settings = current_app.extensions["settings"]
    headers.setdefault("Content-Security-Policy", content_security_policy(settings.payments, settings.map_tiles))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), interest-cohort=()")
    headers["X-Request-ID"] = g.get("request_id", "")
    headers.pop("Date", None)  # the server writes it: two of them are one too many
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response


def init_app(app: Flask, settings: Settings) -> None:
    """Proxies, cookies, request ids, the guard and the headers."""
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="__Host-session" if settings.is_production else "session",
        SESSION_COOKIE_SECURE=settings.is_production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        MAX_CONTENT_LENGTH=1_000_000,
        MAX_FORM_MEMORY_SIZE=200_000,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,  # some browsers send no Referer; _refuse_cross_site asks what all of them send
    )
    app.session_interface = _Sessions()
    public(app.view_functions["static"])
    app.before_request(_start_request)
    if settings.is_production:
        app.before_request(_refuse_other_hosts)
    app.before_request(_refuse_cross_site)
    app.before_request(_guard)
    app.after_request(_add_headers)
    app.after_request(_keep_private)


def check_routes(app: Flask) -> None:
    """Refuse to start when a route does not state who may enter. Raises: RuntimeError naming them."""
    silent = sorted({rule.endpoint for rule in app.url_map.iter_rules() if access_of(app, rule.endpoint) is None})
    if silent:
        raise RuntimeError(f"these routes do not state who may enter: {', '.join(silent)}")
