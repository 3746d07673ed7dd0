# SPDX-License-Identifier: EUPL-1.2
"""The texts of the site: every save is a version that stays as it is, and the newest is what everybody reads.

Who saves while a colleague saved a newer version is told, and sees both: nobody's words are lost.
"""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, NotFound
from abs_platform.site_texts.content import check_text, default_text
from abs_platform.site_texts.models import SiteTextVersion
from abs_platform.site_texts.states import SitePage

_WRITING_LOCK = 7_601_022


class NewerVersion(Conflict):
    """A colleague saved a newer version since the form was opened."""


def save_text(
    session: Session,
    page: SitePage,
    language: str,
    body: str,
    *,
    seen_version: int,
    note: str,
    account_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Keep a text as the next version, which is shown at once; returns its number, or that of the same text as now.

    ``seen_version``: the newest version when the form was opened (0: the text of the platform).
    Locks: writing of texts. Raises: InvalidInput, NewerVersion.
    """
    check_text(body)
    session.execute(select(func.pg_advisory_xact_lock(_WRITING_LOCK)))
    newest = _newest(session, page, language)
    number = 0 if newest is None else newest.version
    if number != seen_version:
        raise NewerVersion(
            _(
                "Een collega bewaarde intussen versie %(number)s. Jouw tekst staat hieronder nog. "
                "Vergelijk ze, en sla daarna opnieuw op.",
                number=number,
            )
        )
    if body == (default_text(page, language) if newest is None else newest.body):
        return number
    return _add(session, page, language, number + 1, body, note=note, account_id=account_id, actor=actor, now=now)


def put_back(
    session: Session,
    page: SitePage,
    language: str,
    version: int,
    *,
    account_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Show an older version again, as a new one; 0 is the text that comes with the platform. Returns its number.

    Locks: writing of texts. Raises: NotFound; Conflict when it is what is shown already; InvalidInput when the platform
    does not know a placeholder of it any more.
    """
    session.execute(select(func.pg_advisory_xact_lock(_WRITING_LOCK)))
    body = body_of(session, page, language, version)
    newest = _newest(session, page, language)
    number = 0 if newest is None else newest.version
    if body == (default_text(page, language) if newest is None else newest.body):
        raise Conflict(_("Deze tekst staat nu al op de site."))
    check_text(body)
    note = _("Versie %(number)s teruggezet", number=version) if version else _("De tekst van het platform teruggezet")
    return _add(session, page, language, number + 1, body, note=note, account_id=account_id, actor=actor, now=now)


def body_of(session: Session, page: SitePage, language: str, version: int) -> str:
    """The text of a version. Raises: NotFound."""
    if version == 0:
        body = default_text(page, language)
    else:
        body = session.scalar(
            select(SiteTextVersion.body).where(
                SiteTextVersion.page == page.value,
                SiteTextVersion.language == language,
                SiteTextVersion.version == version,
            )
        )
    if body is None:
        raise NotFound(_("Deze versie van de tekst bestaat niet."))
    return body


def _newest(session: Session, page: SitePage, language: str) -> SiteTextVersion | None:
    return session.scalar(
        select(SiteTextVersion)
        .where(SiteTextVersion.page == page.value, SiteTextVersion.language == language)
        .order_by(SiteTextVersion.version.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _add(
    session: Session,
    page: SitePage,
    language: str,
    number: int,
    body: str,
    *,
    note: str,
    account_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> int:
    made = SiteTextVersion(
        page=page.value,
        language=language,
        version=number,
        body=body,
        note=note,
        made_at=now,
        made_by_id=account_id,
    )
    session.add(made)
    session.flush()
    events.record(
        session,
        "site_text.saved",
        made.id,
        actor=actor,
        now=now,
        page=page.value,
        language=language,
        version=number,
        note=note,
    )
    return number
