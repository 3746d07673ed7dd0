# SPDX-License-Identifier: EUPL-1.2
"""Reads of the texts: the one that is shown, and all versions for who edits them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.languages import DEFAULT
from abs_platform.site_texts.content import default_text
from abs_platform.site_texts.models import SiteTextVersion
from abs_platform.site_texts.states import SitePage


@dataclass(frozen=True, slots=True)
class ShownText:
    """The text that a page shows. ``changed_at`` is None for a text that comes with the platform (version 0)."""

    body: str
    language: str
    version: int
    changed_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A version of a text and who made it."""

    version: int
    body: str
    made_at: dt.datetime | None
    made_by: str
    note: str


def text_of(session: Session, page: SitePage, language: str) -> ShownText:
    """The text of a page in a language; in Dutch where it was never written in that language."""
    rows = session.execute(
        select(SiteTextVersion.language, SiteTextVersion.version, SiteTextVersion.body, SiteTextVersion.made_at)
        .where(SiteTextVersion.page == page.value, SiteTextVersion.language.in_({language, DEFAULT}))
        .ext(distinct_on(SiteTextVersion.language))
        .order_by(SiteTextVersion.language, SiteTextVersion.version.desc())
    )
    written = {row.language: ShownText(row.body, row.language, row.version, row.made_at) for row in rows}
    for code in (language, DEFAULT):
        if code in written:
            return written[code]
        if (body := default_text(page, code)) is not None:
            return ShownText(body, code, 0, None)
    raise LookupError(page)  # every page comes with a Dutch text: a test proves it


def versions(session: Session, page: SitePage, language: str) -> list[VersionRow]:
    """All versions in a language, the newest first; last the text that comes with the platform, if there is one."""
    of_it = select(SiteTextVersion).where(SiteTextVersion.page == page.value, SiteTextVersion.language == language)
    rows = list(session.scalars(of_it.order_by(SiteTextVersion.version.desc())))
    names = names_of(session, (row.made_by_id for row in rows if row.made_by_id is not None))
    found = [
        VersionRow(
            version=row.version,
            body=row.body,
            made_at=row.made_at,
            made_by=names.get(row.made_by_id or 0, ""),
            note=row.note,
        )
        for row in rows
    ]
    if (body := default_text(page, language)) is not None:
        found.append(VersionRow(version=0, body=body, made_at=None, made_by="", note=""))
    return found


def newest_versions(session: Session) -> dict[tuple[str, str], tuple[int, dt.datetime]]:
    """By page and language, the number of the newest version and when it was made."""
    rows = session.execute(
        select(SiteTextVersion.page, SiteTextVersion.language, SiteTextVersion.version, SiteTextVersion.made_at)
        .ext(distinct_on(SiteTextVersion.page, SiteTextVersion.language))
        .order_by(SiteTextVersion.page, SiteTextVersion.language, SiteTextVersion.version.desc())
    )
    return {(row.page, row.language): (row.version, row.made_at) for row in rows}
