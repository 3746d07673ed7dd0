# SPDX-License-Identifier: EUPL-1.2
"""News as an Atom feed (RFC 4287): whole posts, so that a reader needs no visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from markupsafe import Markup

from abs_platform.news.queries import PostView

ATOM = "http://www.w3.org/2005/Atom"
_XML = "{http://www.w3.org/XML/1998/namespace}lang"
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
ElementTree.register_namespace("", ATOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHead:
    """What a feed says of itself. ``id`` never changes; ``language`` is that of its own words, posts are Dutch."""

    id: str
    title: str
    author: str
    language: str
    page_url: str
    feed_url: str
    icon_url: str


def atom(
    head: FeedHead, posts: Sequence[PostView], address_of: Callable[[PostView], str], html_of: Callable[[str], Markup]
) -> bytes:
    """The feed. ``address_of`` gives the absolute address of a post without its words: that is its id, too."""
    feed = ElementTree.Element(f"{{{ATOM}}}feed", {_XML: head.language})
    _add(feed, "id", head.id)
    _add(feed, "title", head.title)
    _add(feed, "updated", max((_updated(post) for post in posts), default=_EPOCH).isoformat())
    _add(_add(feed, "author"), "name", head.author)
    _add(feed, "link", rel="self", type="application/atom+xml", href=head.feed_url)
    _add(feed, "link", rel="alternate", type="text/html", href=head.page_url)
    _add(feed, "icon", head.icon_url)
    for post in posts:
        entry = _add(feed, "entry")
        entry.set(_XML, "nl")
        address = address_of(post)
        _add(entry, "id", address)
        _add(entry, "title", post.title)
        _add(entry, "link", rel="alternate", type="text/html", href=address)
        _add(entry, "published", post.published_at.isoformat())
        _add(entry, "updated", _updated(post).isoformat())
        _add(entry, "category", term=post.area_name)
        if post.summary:
            _add(entry, "summary", post.summary)
        _add(entry, "content", str(html_of(post.body)), type="html")
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _updated(post: PostView) -> dt.datetime:
    return max(post.published_at, post.changed_at)


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    element.text = text or None
    return element
