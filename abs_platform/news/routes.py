# SPDX-License-Identifier: EUPL-1.2
"""The public pages of news, and its feed."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from abs_platform import clock
from abs_platform.areas.queries import district_of_slug, district_options, ids_around, list_areas
from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.languages import current_language
from abs_platform.news import queries
from abs_platform.news.feeds import FeedHead, atom
from abs_platform.news.queries import PostView
from abs_platform.outbox import site_url
from abs_platform.paging import page_asked
from abs_platform.security import public

bp = Blueprint("news", __name__)

ID = "int(max=9223372036854775807)"


@bp.get("/nieuws")
@public
def index() -> str:
    """All news, or that of a district with that of the whole municipality."""
    session = db.session()
    areas = list_areas(session)
    district = district_of_slug(areas, request.args.get("wijk", ""))
    page = queries.page_of_posts(
        session,
        clock.now(),
        area_ids=None if district is None else ids_around(areas, district.id),
        number=page_asked(request.args.get("pagina", "")),
    )
    return render_template("news/index.html", page=page, district=district, district_options=district_options(areas))


@bp.get(f"/nieuws/<{ID}:post_id>-<slug>")
@bp.get(f"/nieuws/<{ID}:post_id>", defaults={"slug": ""})
@public
def show(post_id: int, slug: str) -> str | AnyResponse:
    """One post; an old or shortened address leads to the one that counts."""
    session, now = db.session(), clock.now()
    post = queries.public_post(session, post_id, now)
    if post is None:
        raise NotFound(_("Dit bericht bestaat niet (meer). Kijk bij het nieuws."))
    if slug != post.slug:
        return redirect(url_for(".show", post_id=post.id, slug=post.slug), 301)
    more = [one for one in queries.latest(session, now, limit=4) if one.id != post.id]
    return render_template("news/show.html", post=post, more=more[:3])


@bp.get("/nieuws.atom")
@public
def feed() -> Response:
    """The newest posts for a feed reader, of a district when the address says so."""
    session = db.session()
    areas = list_areas(session)
    district = district_of_slug(areas, request.args.get("wijk", ""))
    area_ids = None if district is None else ids_around(areas, district.id)
    settings = current_app.extensions["settings"]
    town, language = settings.municipality, current_language()
    slug = None if district is None else district.slug
    head = FeedHead(
        id=site_url("news.feed", wijk=slug),
        title=_("Nieuws van %(name)s", name=town.name if district is None else district.name),
        author=town.site_name,
        language=language,
        page_url=site_url("news.index", _language=language, wijk=slug),
        feed_url=site_url("news.feed", _language=language, wijk=slug),
        icon_url=settings.base_url + url_for("static", filename=f"themes/{town.theme}/favicon.svg"),
    )
    html_of = current_app.jinja_env.filters["rich_text"]
    written = atom(head, queries.feed_posts(session, clock.now(), area_ids=area_ids), _address_of, html_of)
    response = Response(written, content_type="application/atom+xml; charset=utf-8")
    response.add_etag()
    response.make_conditional(request)
    return response


def _address_of(post: PostView) -> str:
    """The address of a post in a feed: without its title, which may change."""
    return site_url("news.show", post_id=post.id)
