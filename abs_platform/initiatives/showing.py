# SPDX-License-Identifier: EUPL-1.2
"""What the page of one initiative shows: as it is, or as it will be when what was written goes live."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, case, literal, null, select, union_all
from sqlalchemy.orm import Session, aliased

from abs_platform.areas.models import Area
from abs_platform.areas.queries import scope_of
from abs_platform.areas.states import AreaLevel
from abs_platform.donations.queries import PublicGift, latest_gifts
from abs_platform.initiatives.content import read_date
from abs_platform.initiatives.models import BudgetLine, Initiative, InitiativeNeed, Organiser
from abs_platform.initiatives.queries import MAX_SLUG, ONE_CARD, InitiativeCard, card_fields
from abs_platform.initiatives.states import InitiativeState, NeedKind, OrganiserRole, Theme
from abs_platform.media.queries import PictureView, pictures_of
from abs_platform.slugs import slugify

GIFTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A line of the budget."""

    description: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Need:
    """What it asks for besides money."""

    kind: NeedKind
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiativeDetail(InitiativeCard):
    """An initiative on its own page. ``hidden_organisers`` are those who did not want their name there."""

    story: str
    place_description: str
    latitude: float | None
    longitude: float | None
    audience: str
    planning: str
    needs: list[Need]
    organisers: list[str]
    hidden_organisers: int
    budget_lines: list[BudgetRow]
    published_on: dt.datetime | None
    ended_on: dt.datetime | None
    gifts: list[PublicGift]
    pictures: list[PictureView]
    area_slug: str = ""
    district_slug: str = ""


_WHOLE = ONE_CARD.add_columns(
    *(Initiative.story, Initiative.place_description, Initiative.latitude, Initiative.longitude),
    *(Initiative.audience, Initiative.planning, Initiative.published_at, Initiative.ended_at),
)


def detail(
    session: Session, initiative_id: int, *, pictures: list[PictureView], today: dt.date
) -> InitiativeDetail | None:
    """A public initiative with all that its page shows, or None. Its pictures were read with what happened to it."""
    row = session.execute(_WHOLE, {"initiative_id": initiative_id}).first()
    if row is None:
        return None
    return InitiativeDetail(
        **card_fields(row, today),
        **_parts(session, initiative_id),
        story=row.story,
        place_description=row.place_description,
        latitude=row.latitude,
        longitude=row.longitude,
        audience=row.audience,
        planning=row.planning,
        published_on=row.published_at,
        ended_on=row.ended_at,
        gifts=latest_gifts(session, initiative_id, GIFTS_SHOWN),
        pictures=pictures,
    )


_AREA, _PARENT = aliased(Area), aliased(Area)
_ID: BindParameter[int] = bindparam("initiative_id")
_PARTS = union_all(
    select(literal("budget").label("part"), BudgetLine.position, BudgetLine.description, BudgetLine.amount_cents)
    .add_columns(null().label("kind"))
    .where(BudgetLine.initiative_id == _ID),
    select(literal("need"), InitiativeNeed.position, InitiativeNeed.description, null(), InitiativeNeed.kind).where(
        InitiativeNeed.initiative_id == _ID
    ),
    select(
        literal("organiser"),
        case((Organiser.role == OrganiserRole.INITIATOR.value, 0), else_=Organiser.id),
        case((Organiser.is_name_public, Organiser.name)),
        null(),
        null(),
    ).where(Organiser.initiative_id == _ID, Organiser.confirmed_at.is_not(None)),
    select(literal("area"), literal(0), _AREA.slug, null(), _AREA.level)
    .join(Initiative, Initiative.area_id == _AREA.id)
    .where(Initiative.id == _ID),
    select(literal("area"), literal(1), _PARENT.slug, null(), _PARENT.level)
    .join(_AREA, _AREA.parent_id == _PARENT.id)
    .join(Initiative, Initiative.area_id == _AREA.id)
    .where(Initiative.id == _ID),
).order_by("part", "position")


def _parts(session: Session, initiative_id: int) -> dict[str, Any]:
    """What an initiative has more than one of, in one query: budget lines, needs, organisers and its areas."""
    budget, needs, names = [], [], []
    areas: dict[str, str] = {}
    for part, _position, text, cents, kind in session.execute(_PARTS, {"initiative_id": initiative_id}):
        if part == "budget":
            budget.append(BudgetRow(text, cents))
        elif part == "need":
            needs.append(Need(NeedKind(kind), text))
        elif part == "area":
            areas.setdefault("own", text)
            areas[kind] = text
        else:
            names.append(text)
    public = [name for name in names if name]
    hidden = len(names) - len(public)
    return {
        "budget_lines": budget,
        "needs": needs,
        "organisers": public,
        "hidden_organisers": hidden,
        "area_slug": areas.get("own", ""),
        "district_slug": areas.get(AreaLevel.DISTRICT.value, ""),
    }


def preview(
    session: Session, initiative: Initiative, content: Mapping[str, Any], *, today: dt.date
) -> InitiativeDetail:
    """The page as it will look when this content is live, with what it received until now left out."""
    scope = scope_of(session, content["area_id"])
    deadline = read_date(content["deadline_on"])
    title = content["title"] or initiative.title
    pictures = pictures_of(session, initiative.id)
    return InitiativeDetail(
        id=initiative.id,
        slug=slugify(title, MAX_SLUG) or "initiatief",
        title=title,
        summary=content["summary"],
        theme=Theme(content["theme"] or initiative.theme),
        state=InitiativeState.PUBLISHED,
        area_name=scope.name if scope else "",
        district_name=scope.district_name if scope else None,
        scope=scope.level if scope else AreaLevel.NEIGHBOURHOOD,
        target_cents=content["target_cents"] or 0,
        raised_cents=0,
        givers=0,
        deadline_on=deadline or today,
        days_left=max(0, (deadline - today).days) if deadline else None,
        **_parts(session, initiative.id)
        | {
            "budget_lines": [BudgetRow(**line) for line in content["budget"]],
            "needs": [Need(NeedKind(need["kind"]), need["description"]) for need in content["needs"]],
            "area_slug": "",
            "district_slug": "",
        },
        story=content["story"],
        place_description=content["place_description"],
        latitude=content["latitude"],
        longitude=content["longitude"],
        audience=content["audience"],
        planning=content["planning"],
        published_on=None,
        ended_on=None,
        gifts=[],
        pictures=pictures,
        photo=pictures[0] if pictures else None,
    )
