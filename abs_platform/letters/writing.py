# SPDX-License-Identifier: EUPL-1.2
"""The text of the letter: every save is a version that stays as it is, and a round is sent with an approved one.

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
from abs_platform.letters.content import LetterContent
from abs_platform.letters.models import LetterText

MAX_NOTE = 200
_WRITING_LOCK = 7_601_017


class NewerVersion(Conflict):
    """A colleague saved a newer version since the form was opened."""


def save_text(
    session: Session,
    content: LetterContent,
    *,
    seen_version: int,
    note: str,
    account_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> LetterText:
    """Keep a text as the next version; the newest one when nothing differs from it.

    ``seen_version``: the newest version when the form was opened (0: there was none). Locks: writing of letters.
    Raises: NewerVersion.
    """
    session.execute(select(func.pg_advisory_xact_lock(_WRITING_LOCK)))
    newest = session.scalar(select(LetterText).order_by(LetterText.version.desc()).limit(1))
    if newest is not None and newest.version != seen_version:
        raise NewerVersion(
            _(
                "Een collega bewaarde intussen versie %(number)s. Jouw tekst staat hieronder nog. "
                "Vergelijk ze, en sla daarna opnieuw op.",
                number=newest.version,
            )
        )
    written = content.dump()
    if newest is not None and newest.content == written:
        return newest
    made = LetterText(
        version=1 if newest is None else newest.version + 1,
        content=written,
        made_at=now,
        made_by_id=account_id,
        note=note,
    )
    session.add(made)
    session.flush()
    events.record(session, "letter_text.saved", made.id, actor=actor, now=now, version=made.version, note=note)
    return made


def check_may_approve(session: Session, text: LetterText) -> None:
    """Whether this version can still be approved. Raises: Conflict."""
    if text.approved_at is not None:
        raise Conflict(_("Versie %(number)s is al goedgekeurd.", number=text.version))
    newer = session.scalar(
        select(func.max(LetterText.version)).where(
            LetterText.approved_at.is_not(None), LetterText.version > text.version
        )
    )
    if newer is not None:
        raise Conflict(
            _(
                "Versie %(newer)s is nieuwer en al goedgekeurd. Wil je deze tekst toch? Maak er een nieuwe versie van.",
                newer=newer,
            )
        )


def approve(session: Session, text_id: int, *, account_id: int, actor: Actor, now: dt.datetime) -> LetterText:
    """Say that rounds may be sent with this version; it is the one for new rounds from now on.

    Whether it fits on the page is looked at by who calls this (press.check_fits): that takes too long for a lock.
    Locks: writing of letters. Raises: NotFound; Conflict when it is approved already, or a newer one is.
    """
    session.execute(select(func.pg_advisory_xact_lock(_WRITING_LOCK)))
    text = session.get(LetterText, text_id, populate_existing=True)
    if text is None:
        raise NotFound(_("Deze versie van de brief bestaat niet."))
    check_may_approve(session, text)
    text.approved_at, text.approved_by_id = now, account_id
    session.flush()
    events.record(session, "letter_text.approved", text.id, actor=actor, now=now, version=text.version)
    return text
