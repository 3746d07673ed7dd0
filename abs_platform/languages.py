# SPDX-License-Identifier: EUPL-1.2
"""The languages of the site: Dutch has no prefix, every other language stands before the path, as in ``/en/over``.

An address says in which language its page is, so a page can be shared and cached, and no cookie has to remember it.
What staff do is in Dutch, whatever the address says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from babel import Locale
from flask import Flask, Request, current_app, g, has_app_context, has_request_context, request
from flask_babel import get_locale

from abs_platform.extensions import babel
from abs_platform.security import access_of, local_path

DEFAULT = "nl"
_LANGUAGE = "abs.language"
# What machines ask for has no language, nor have files.
_WITHOUT_LANGUAGE = (
    *("api/", "webhooks/", "static/", "media/", "healthz", "readyz"),
    *(".well-known/", "robots.txt", "sitemap"),
)
# Anybody who is signed in may come there, and only staff has something to do there.
_SIGN_IN_OF_STAFF = frozenset({"second_factor", "oidc"})
# What stands in an address as it is; all else is written as %xx, also what no browser would send.
_SAFE = "/:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """This page in one of the languages."""

    code: str
    name: str
    url: str
    is_current: bool


class LanguagePrefix:
    """Takes the language off the path before the routes see it; addresses that routes make keep it."""

    def __init__(self, app: Any, languages: Collection[str]) -> None:
        self.app, self.languages = app, frozenset(languages)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve one request."""
        first, _slash, rest = environ.get("PATH_INFO", "").removeprefix("/").partition("/")
        if first in self.languages and not rest.startswith(_WITHOUT_LANGUAGE):
            environ[_LANGUAGE] = first
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/{first}"
            environ["PATH_INFO"] = f"/{rest}"
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer


def language_of(asked: Request) -> str:
    """In which language a page is asked for."""
    code: str = asked.environ.get(_LANGUAGE, DEFAULT)
    return DEFAULT if asked.endpoint and is_for_staff(current_app, asked.endpoint) else code


def is_for_staff(app: Flask, endpoint: str) -> bool:
    """Whether only staff see a page: by who may enter it, or because only staff sign in like that."""
    access = access_of(app, endpoint) or ""
    return access.startswith("staff:") or endpoint.partition(".")[0] in _SIGN_IN_OF_STAFF


def current_language() -> str:
    """The code of the language of what is being written now: a page, or a mail."""
    # A page asks this some hundreds of times; where flask-babel keeps it is asked first, as that costs a tenth.
    kept = getattr(g, "_flask_babel", None) if has_app_context() else None
    locale: Locale | None = getattr(kept, "babel_locale", None) or get_locale()
    return locale.language if locale else DEFAULT


def is_right_to_left() -> bool:
    """Whether what is being written now reads from right to left."""
    locale: Locale | None = get_locale()
    return locale is not None and locale.text_direction == "rtl"


def language_links() -> list[LanguageLink]:
    """This page in every language that the site has; none on a page of staff."""
    if not has_request_context() or not request.endpoint:
        return []
    endpoint = request.endpoint
    if access_of(current_app, endpoint) is None or is_for_staff(current_app, endpoint) or not _can_be_fetched():
        return []
    language = request.environ.get(_LANGUAGE)
    root = request.script_root.removesuffix(f"/{language}") if language else request.script_root
    path = quote(request.path, safe=_SAFE)
    query = f"?{quote(request.query_string, safe=f'{_SAFE}?%')}" if request.query_string else ""
    if not all(map(local_path, request.args.getlist("volgende"))):  # our links carry nobody to another site
        query = ""
    codes = (DEFAULT, *sorted(current_app.config["LANGUAGES"]))
    return [
        LanguageLink(
            code,
            (Locale(code).get_language_name(code) or code).capitalize(),
            f"{root}{prefix_of(code)}{path}{query}",
            code == (language or DEFAULT),
        )
        for code in codes
    ]


def _can_be_fetched() -> bool:
    """Whether this page has an address of its own: what only answers a form has none."""
    if request.method in {"GET", "HEAD"}:
        return True
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.test(request.path, "GET")


def prefix_of(code: str) -> str:
    """What stands before the path of a page in this language."""
    return "" if code == DEFAULT else f"/{code}"


def init_app(app: Flask, languages: Collection[str], catalogues: str) -> None:
    """Serve these languages beside Dutch, with the catalogues in that folder."""
    app.config["LANGUAGES"] = frozenset(languages)
    app.wsgi_app = LanguagePrefix(app.wsgi_app, languages)  # type: ignore[method-assign]
    babel.init_app(
        app,
        default_locale=DEFAULT,
        default_timezone="Europe/Amsterdam",
        default_translation_directories=catalogues,
        locale_selector=lambda: language_of(request) if has_request_context() else DEFAULT,
    )
    app.jinja_env.globals.update(
        current_language=current_language, is_right_to_left=is_right_to_left, language_links=language_links
    )
