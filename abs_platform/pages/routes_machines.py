# SPDX-License-Identifier: EUPL-1.2
"""What machines read about the site: which pages there are, where they need not look, and whom to tell of a leak."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, abort, current_app, request, url_for

from abs_platform import clock
from abs_platform.agenda import queries as agenda
from abs_platform.areas.queries import list_districts
from abs_platform.config import Settings
from abs_platform.database import db
from abs_platform.languages import DEFAULT, prefix_of
from abs_platform.news import queries as news
from abs_platform.pages.public_pages import count_public_initiatives, public_initiatives
from abs_platform.pages.sitemap import PAGES_A_FILE, ListedPage, file_of_pages, index_of_files
from abs_platform.security import access_of, public
from abs_platform.site_texts.states import SitePage

bp = Blueprint("machines", __name__)

ONE_HOUR = 3_600
# RFC 9116 asks for less than a year; who looks after the site sees that it is still right.
VALID_FOR = dt.timedelta(days=180)
STAFF_AND_RESIDENTS = ("/account", "/balie", "/beheer", "/financien", "/inloggen", "/regie")
LISTED = (
    "pages.home",
    "initiatives.index",
    "submitting.new",
    "vouchers.choose",
    "districts.index",
    "news.index",
    "agenda.index",
    "reports.index",
    "cashbook.index",
    "cashbook.flow",
)
# Anyone who has the address may open these, and nobody else has to find them.
BY_ADDRESS_ONLY = frozenset({"donations.receipt", "accounts.link", "invitations.show", "updates.stop_news"})


@bp.get("/robots.txt")
@public
def robots() -> Response:
    """Where search engines need not look: nowhere on a site that is not the real one."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.is_production:
        return _text("User-agent: *\nDisallow: /\n")
    prefixes = [prefix_of(code) for code in _languages(settings)]
    closed = [f"Disallow: {prefix}{path}" for prefix in prefixes for path in STAFF_AND_RESIDENTS]
    lines = ["User-agent: *", *closed, "Disallow: /*?*zoek=", f"Sitemap: {settings.base_url}{url_for('.sitemap')}"]
    return _text("\n".join(lines) + "\n")


@bp.get("/.well-known/security.txt")
@public
def security_txt() -> Response:
    """Whom to tell of a leak (RFC 9116)."""
    settings: Settings = current_app.extensions["settings"]
    expires = clock.start_of_day(clock.today()) + VALID_FOR
    lines = (
        f"Contact: mailto:{settings.municipality.contact_email}",
        f"Expires: {expires.strftime('%Y-%m-%dT%H:%M:%SZ')}",
        f"Preferred-Languages: {', '.join(_languages(settings))}",
        f"Canonical: {settings.base_url}{url_for('.security_txt')}",
        f"Policy: {settings.base_url}{url_for('site_texts.show', page=SitePage.CONTACT.value)}",
    )
    return _text("\n".join(lines) + "\n")


@bp.get("/sitemap.xml")
@public
def sitemap() -> Response:
    """The files that together name every public page."""
    settings: Settings = current_app.extensions["settings"]
    files = -(-count_public_initiatives(db.session()) // PAGES_A_FILE)
    names = ["paginas", "nieuws", *(f"initiatieven-{number}" for number in range(1, files + 1))]
    return _xml(index_of_files(f"{settings.base_url}{url_for('.sitemap_file', name=name)}" for name in names))


@bp.get("/sitemap-<name>.xml")
@public
def sitemap_file(name: str) -> Response:
    """One of those files."""
    settings: Settings = current_app.extensions["settings"]
    kind, _dash, number = name.rpartition("-")
    if name == "paginas":
        pages = _usual_pages()
    elif name == "nieuws":
        pages = _news_pages()
    elif kind == "initiatieven" and number.isascii() and number.isdecimal() and len(number) < 6 and number != "0":
        pages = _initiative_pages(int(number))
    else:
        abort(404)
    return _xml(file_of_pages(pages, settings.base_url, {code: prefix_of(code) for code in _languages(settings)}))


@bp.after_app_request
def keep_out_of_search_engines(response: Response) -> Response:
    """Pages of staff, of who is signed in, and those that only the holder of an address needs, are in no index."""
    if request.endpoint is not None:
        is_open = access_of(current_app, request.endpoint) in {"public", "webhook"}
        if not is_open or request.endpoint in BY_ADDRESS_ONLY:
            response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
    return response


def _usual_pages() -> list[ListedPage]:
    districts = list_districts(db.session())
    return [
        *(ListedPage(url_for(endpoint)) for endpoint in LISTED),
        *(ListedPage(url_for("site_texts.show", page=page.value)) for page in SitePage),
        *(ListedPage(url_for("districts.show", slug=district.slug)) for district in districts),
    ]


def _news_pages() -> list[ListedPage]:
    session, now = db.session(), clock.now()
    return [
        *(
            ListedPage(url_for("news.show", post_id=id_, slug=slug), moment)
            for id_, slug, moment in news.public_addresses(session, now)
        ),
        *(
            ListedPage(url_for("agenda.show", item_id=id_, slug=slug), moment)
            for id_, slug, moment in agenda.public_addresses(session, now)
        ),
    ]


def _initiative_pages(number: int) -> list[ListedPage]:
    found = public_initiatives(db.session(), offset=(number - 1) * PAGES_A_FILE, limit=PAGES_A_FILE)
    return [
        ListedPage(url_for("initiatives.show", initiative_id=one.id, slug=one.slug), one.changed_at) for one in found
    ]


def _languages(settings: Settings) -> list[str]:
    return [DEFAULT, *settings.municipality.languages]


def _text(body: str) -> Response:
    return _cached(Response(body, content_type="text/plain; charset=utf-8"))


def _xml(body: str) -> Response:
    return _cached(Response(body, content_type="application/xml; charset=utf-8"))


def _cached(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={ONE_HOUR}"
    return response
