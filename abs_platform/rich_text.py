# SPDX-License-Identifier: EUPL-1.2
"""What residents may do in a longer text: paragraphs, bold, italic, lists, headings and links, and never any HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import nh3
from flask_babel import gettext as _
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

# Control characters, invisible ones that turn the direction of a text or hide a part of it, and what XML may not hold.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff"
    "\ufeff\ufffe\uffff]"
)
_RULES = ("heading", "list", "emphasis", "link", "autolink", "newline", "escape")
_TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "h2", "h3", "h4", "a", "span"}
_CLASSES = {"a": {"utrecht-link", "abs-link-external"}, "span": {"abs-hidden"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
_LINK_REL = "nofollow ugc noopener"
_ON_THIS_SITE = re.compile(r"/(?![/\\])[\x21-\x7e]*")
_HOST = re.compile(r"(?:[a-z0-9-]{1,63}\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})", re.IGNORECASE)
_BARE_ADDRESS = re.compile(r"(?<![\w@/.])(?:https?://|www\.)[^\s<>\".][^\s<>\"]*", re.IGNORECASE)
_AFTER_AN_ADDRESS = ".,;:!?'*_)]}"


def without_unseen(text: str) -> str:
    """A text with plain line ends and without control characters or characters that turn or hide text."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def rich_text(text: str, level: Literal[2, 3, 4] = 3, *, site_host: str = "") -> Markup:
    """A text in our part of Markdown as safe HTML; plain paragraphs look as plain paragraphs.

    All headings get the level that fits the page. A link to another host than ``site_host`` says that it leaves us.
    """
    tokens = _markdown.parse(without_unseen(text))
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{level}"
        if token.children:
            token.children = list(_mark_links(_link_bare_addresses(token.children), site_host))
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return Markup(_cleaner.clean(html))  # noqa: S704 - this is what has just been cleaned


def _may_lead_to(href: str) -> bool:
    """Whether a link may lead there: the web, mail, telephone or a page of ours; no name in front of the host."""
    if _ON_THIS_SITE.fullmatch(href):
        return True
    try:
        parts = urlsplit(href)
        if parts.scheme in {"http", "https"}:
            is_address = bool(_HOST.fullmatch(parts.hostname or "")) and "@" not in parts.netloc
        else:
            is_address = parts.scheme in _SCHEMES and bool(parts.path) and not parts.netloc
    except ValueError:  # no address at all, like "https://["
        return False
    return is_address and " href=" in _cleaner.clean(Markup('<a href="{}"></a>').format(href))


def _leaves(href: str, site_host: str) -> bool:
    parts = urlsplit(href)
    return parts.scheme in {"http", "https"} and parts.netloc.lower() != site_host.lower()


def _link_bare_addresses(tokens: Sequence[Token]) -> Iterator[Token]:
    """Turn the web addresses that people simply write into links, outside the links that they made themselves."""
    inside_link = False
    for token in tokens:
        inside_link = token.type == "link_open" or (inside_link and token.type != "link_close")
        if token.type != "text" or inside_link:
            yield token
            continue
        written, end = token.content, 0
        for found in _BARE_ADDRESS.finditer(written):
            address = _trimmed(found[0])
            href = _markdown.normalizeLink(address if "://" in address else f"https://{address}")
            if _may_lead_to(href):
                yield Token("text", "", 0, content=written[end : found.start()])
                yield Token("link_open", "a", 1, attrs={"href": href})
                yield Token("text", "", 0, content=address)
                yield Token("link_close", "a", -1)
                end = found.start() + len(address)
        yield Token("text", "", 0, content=written[end:])


def _trimmed(address: str) -> str:
    """A written address without the punctuation of the sentence around it; a bracket that it opens, it may close."""
    while address[-1] in _AFTER_AN_ADDRESS and not (address[-1] == ")" and "(" in address):
        address = address[:-1]
    return address


def _mark_links(tokens: Iterator[Token], site_host: str) -> Iterator[Token]:
    """Give links their look, and those that leave the site a text for who cannot see that look."""
    leaves = False
    for token in tokens:
        if token.type == "link_open":
            leaves = _leaves(str(token.attrs["href"]), site_host)
            token.attrs = {
                "href": token.attrs["href"],
                "class": "utrecht-link abs-link-external" if leaves else "utrecht-link",
            }
        elif token.type == "link_close" and leaves:
            note = Markup('<span class="abs-hidden"> {}</span>').format(escape(_("(andere website)")))
            yield Token("html_inline", "", 0, content=str(note))
        yield token


_markdown = MarkdownIt("zero", {"html": False}).enable(list(_RULES))
_markdown.validateLink = _may_lead_to  # type: ignore[method-assign,assignment]
_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href"}, "ol": {"start"}},
    allowed_classes=_CLASSES,
    url_schemes=_SCHEMES,
    link_rel=_LINK_REL,
    clean_content_tags={"script", "style"},
)


@dataclass(frozen=True, slots=True)
class Contact:
    """An e-mail address or telephone number as it stands in a text."""

    kind: Literal["email", "phone"]
    text: str


_SEP = r"[ \u00a0.\-\u2010-\u2015/]"
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+'-]{1,64} ?(?:@|\(at\)|\[at\]|\(apenstaartje\)) ?"
    r"(?:[\w-]{1,63}(?:\.| ?\(punt\) ?)){1,8}[a-z]{2,24}\b",
    re.IGNORECASE,
)
# What has the form of a telephone number and is none: bank accounts, dates, and the free and paid service numbers.
_NO_PHONE = re.compile(
    r"\b[a-z]{2}\d{2} ?[a-z]{4} ?(?:\d ?){9}\d\b"
    r"|\b[a-z]{2}\d{2}(?: ?\d{4}){3,7}(?: ?\d{1,3})?\b"
    r"|(?<!\d)\d{1,2}([-/.])\d{1,2}\1(?:19|20)\d{2}(?!\d)"
    rf"|(?<!\d)0(?:800|90[069]){_SEP}{{0,3}}\d(?:{_SEP}?\d){{3,6}}(?!\d)",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w+,.])(?:"
    rf"(?:\+|00)31{_SEP}{{0,3}}(?:\(0\){_SEP}?)?[1-9](?:{_SEP}?\d){{8}}"  # +31 6 12345678, 0031 (0)546 541111
    rf"|\+[1-9]\d{{0,2}}{_SEP}?(?:\(0\){_SEP}?)?\d(?:{_SEP}?\d){{6,11}}"  # another country
    rf"|\(?06\)?{_SEP}{{0,3}}[1-9](?:{_SEP}?\d){{7}}"  # 06-12345678
    rf"|\(?0[1-57-9]\d\)?{_SEP}{{0,3}}[1-9](?:{_SEP}?\d){{6}}"  # 074-2912345
    rf"|\(?0[1-57-9]\d\d\)?{_SEP}{{0,3}}[1-9](?:{_SEP}?\d){{5}}"  # 0546-541111
    r")(?![\d,]\d|\d)"
)


def contacts_in(text: str) -> list[Contact]:
    """The e-mail addresses and telephone numbers in a text, in the order in which they stand there, each once.

    For pointing out what may be somebody else's before it is published. A municipality's 14-number is nobody's.
    """
    text = without_unseen(text)
    found = [(one.start(), Contact("email", one[0].strip())) for one in _EMAIL.finditer(text)]
    masked = _NO_PHONE.sub(lambda one: "#" * len(one[0]), text)
    found += [(one.start(), Contact("phone", one[0].strip())) for one in _PHONE.finditer(masked)]
    return list(dict.fromkeys(contact for _start, contact in sorted(found, key=lambda one: one[0])))
