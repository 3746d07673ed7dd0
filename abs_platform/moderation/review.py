# SPDX-License-Identifier: EUPL-1.2
"""What a desk looks at before it decides: the checklist, what changed since last time, and similar initiatives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.areas.models import Area
from abs_platform.areas.states import AreaLevel
from abs_platform.initiatives.content import FieldChange, changes_between, content_of
from abs_platform.initiatives.models import Initiative, Proposal, Revision
from abs_platform.initiatives.permissions import CHANGEABLE_STATES, SENT_STATES
from abs_platform.initiatives.states import InitiativeState
from abs_platform.moderation.diffs import Piece, shortened, word_changes
from abs_platform.moderation.models import ChecklistTick, Decision
from abs_platform.moderation.states import FixedCheck
from abs_platform.rulebook.queries import answers_of, assess, rulebook_of

SIMILAR_SHOWN, SIMILAR_LOOKED_AT = 5, 25
MIN_SHARED_WORDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A line of the checklist. ``is_old`` when it was ticked before the text that is there now was sent."""

    key: str
    text: str
    about: str
    contact: str
    lead_days: int
    ticked_by: str
    ticked_at: dt.datetime | None
    is_old: bool


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A part that differs, with the pieces of its text."""

    change: FieldChange
    pieces: list[Piece]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs from what the desk saw before, and since when. ``waits`` when it is not live yet."""

    since: dt.datetime
    waits: bool
    fields: list[ShownChange]


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """An initiative that looks like another. ``sent_on`` is when it was sent to the desk."""

    id: int
    title: str
    state: InitiativeState
    area_name: str
    sent_on: dt.datetime


def checklist_of(session: Session, initiative: Initiative, content: Mapping[str, Any], today: dt.date) -> list[Check]:
    """The fixed checks and those that follow from the answers to the rules check, with who found them in order."""
    kept: Sequence[Mapping[str, Any]] = content.get("rule_snapshot") or ()
    asked = assess(rulebook_of(kept), answers_of(kept), today).checklist
    ticks = {
        tick.key: tick
        for tick in session.scalars(select(ChecklistTick).where(ChecklistTick.initiative_id == initiative.id))
    }
    names = names_of(session, {tick.ticked_by_id for tick in ticks.values()})
    lines = [(check.value, check.label, "", "", 0) for check in FixedCheck]
    lines += [(item.key, item.text, item.from_question, item.contact, item.lead_days) for item in asked]
    sent_at = initiative.submitted_at
    found = []
    for key, text, about, contact, lead_days in lines:
        tick = ticks.get(key)
        found.append(
            Check(
                key=key,
                text=text,
                about=about,
                contact=contact,
                lead_days=lead_days,
                ticked_by=names.get(tick.ticked_by_id, "") if tick else "",
                ticked_at=tick.ticked_at if tick else None,
                is_old=tick is not None and sent_at is not None and tick.ticked_at < sent_at,
            )
        )
    return found


def change_that_waits(session: Session, initiative: Initiative) -> Proposal | None:
    """What the organisers want to change after publishing and the desk has not answered, or None."""
    proposal = session.get(Proposal, initiative.id, populate_existing=True)
    waits = proposal is not None and proposal.sent_at is not None and initiative.state in CHANGEABLE_STATES
    return proposal if waits else None


def changes_since(session: Session, initiative: Initiative) -> Changes | None:
    """What differs from what the desk saw before.

    A change after publishing is compared with what is live. Else the newest text is compared with the one that lay
    there at the last decision. None when the desk saw nothing before.
    """
    waiting = change_that_waits(session, initiative)
    if waiting is not None and waiting.sent_at is not None:
        return _changes(content_of(session, initiative), waiting.content, waiting.sent_at, waits=True)
    revisions = select(Revision).where(Revision.initiative_id == initiative.id).order_by(Revision.number.desc())
    newest = session.scalar(revisions.limit(1))
    decided_at = session.scalar(select(func.max(Decision.decided_at)).where(Decision.initiative_id == initiative.id))
    if newest is None:
        return None
    before = revisions.where(Revision.number < newest.number).limit(1)
    if decided_at is not None:
        before = before.where(Revision.made_at <= decided_at)
    base = session.scalar(before)
    if base is None or (decided_at is not None and newest.made_at <= decided_at):
        return None
    return _changes(base.content, newest.content, base.made_at, waits=False)


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], since: dt.datetime, *, waits: bool) -> Changes:
    fields = [
        ShownChange(change, shortened(word_changes(change.old, change.new))) for change in changes_between(old, new)
    ]
    return Changes(since=since, waits=waits, fields=fields)


def similar_to(session: Session, initiative: Initiative) -> list[Similar]:
    """Initiatives of the same district (or of the whole municipality) that share words of title and summary.

    Living and past ones, what shares most first; those of the same neighbourhood count double.
    """
    words = session.scalar(
        select(func.tsvector_to_array(func.to_tsvector("dutch", initiative.title + " " + initiative.summary)))
    )
    if not words:
        return []
    any_word = as_type(" | ".join(_lexeme(word) for word in words), TSQUERY)
    is_near = Initiative.area_id == initiative.area_id
    rank = func.ts_rank(Initiative.search, any_word) * case((is_near, 2.0), else_=1.0)
    rows = session.execute(
        select(
            Initiative.id,
            Initiative.title,
            Initiative.state,
            Initiative.submitted_at,
            Area.name,
            func.tsvector_to_array(Initiative.search).label("words"),
        )
        .join(Area, Area.id == Initiative.area_id)
        .where(
            Initiative.id != initiative.id,
            Initiative.state.in_([state.value for state in SENT_STATES]),
            Initiative.submitted_at.is_not(None),
            or_(Initiative.area_id.in_(_district_of(initiative.area_id)), Area.level == AreaLevel.MUNICIPALITY.value),
            Initiative.search.op("@@")(any_word),
        )
        .order_by(rank.desc(), Initiative.id.desc())
        .limit(SIMILAR_LOOKED_AT)
    )
    alike = [row for row in rows if len(set(words).intersection(row.words)) >= MIN_SHARED_WORDS]
    return [
        Similar(
            id=row.id,
            title=row.title,
            state=InitiativeState(row.state),
            area_name=row.name,
            sent_on=row.submitted_at,
        )
        for row in alike[:SIMILAR_SHOWN]
    ]


def _lexeme(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _district_of(area_id: int) -> Any:
    """The numbers of an area's district and of all its neighbourhoods."""
    own = select(case((Area.level == AreaLevel.NEIGHBOURHOOD.value, Area.parent_id), else_=Area.id)).where(
        Area.id == area_id
    )
    return select(Area.id).where((Area.id == own.scalar_subquery()) | (Area.parent_id == own.scalar_subquery()))
