# SPDX-License-Identifier: EUPL-1.2
"""The list of all public pages for search engines, in every language; as XML, with no row and no request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

# A file may hold 50,000 addresses; each page has one for every language.
PAGES_A_FILE = 5_000
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML = "http://www.w3.org/1999/xhtml"


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A page by its path without language, and when it changed last (None: nobody knows)."""

    path: str
    changed_at: dt.datetime | None = None


def index_of_files(addresses: Iterable[str]) -> str:
    """The file that names the other files."""
    files = "".join(f"<sitemap><loc>{escape(address)}</loc></sitemap>\n" for address in addresses)
    return f'{_DECLARATION}<sitemapindex xmlns="{_SPACE}">\n{files}</sitemapindex>\n'


def file_of_pages(pages: Iterable[ListedPage], base_url: str, prefixes: Mapping[str, str]) -> str:
    """A file of pages; each in every language, with its sisters beside it. ``prefixes``: by language."""
    entries = "".join(_entries(page, base_url, prefixes) for page in pages)
    return f'{_DECLARATION}<urlset xmlns="{_SPACE}" xmlns:xhtml="{_XHTML}">\n{entries}</urlset>\n'


def _entries(page: ListedPage, base_url: str, prefixes: Mapping[str, str]) -> str:
    addresses = {code: f"{base_url}{prefix}{page.path}" for code, prefix in prefixes.items()}
    sisters = "".join(
        f'<xhtml:link rel="alternate" hreflang={quoteattr(code)} href={quoteattr(address)}/>'
        for code, address in addresses.items()
    )
    changed = f"<lastmod>{page.changed_at.isoformat(timespec='seconds')}</lastmod>" if page.changed_at else ""
    return "".join(f"<url><loc>{escape(address)}</loc>{changed}{sisters}</url>\n" for address in addresses.values())
