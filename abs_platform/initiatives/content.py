# SPDX-License-Identifier: EUPL-1.2
"""What an initiative says, as plain data: read from its row, written back to it, and compared field by field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.dates import format_date
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from abs_platform.areas.queries import name_of
from abs_platform.errors import NotFound
from abs_platform.initiatives.models import BudgetLine, Initiative, InitiativeNeed, Proposal, Revision
from abs_platform.initiatives.states import NeedKind, RevisionKind, Theme
from abs_platform.media.queries import pictures_of
from abs_platform.money import format_euros
from abs_platform.rulebook.queries import read_answer

# Plain data for a JSON column. Dates are ISO texts, amounts are cents, ``area_name`` goes with ``area_id`` and
# ``target_cents`` is the sum of the budget: whoever writes the one, writes the other.
Content = dict[str, Any]

EMPTY: Mapping[str, Any] = {
    "title": "",
    "summary": "",
    "story": "",
    "theme": "",
    "area_id": None,
    "area_name": "",
    "place_description": "",
    "latitude": None,
    "longitude": None,
    "audience": "",
    "target_cents": None,
    "budget": [],
    "deadline_on": None,
    "planning": "",
    "needs": [],
    "rule_answers": {},
    "rule_snapshot": [],
    "pictures": [],
}
# Kept beside another key, and never written by hand.
DERIVED = {"area_name": "area_id", "target_cents": "budget", "rule_snapshot": "rule_answers"}
# What givers and the desk relied on: after publishing a change of these goes back to the desk. The rest does not.
RELIED_ON = frozenset(
    {"title", "summary", "theme", "area_id", "latitude", "longitude", "target_cents", "budget", "deadline_on"}
    | {"rule_answers", "area_name", "rule_snapshot"}
)
# Once the money is there, how much it was and until when it was asked is history.
OF_COLLECTING = frozenset({"target_cents", "budget", "deadline_on"})
_TEXTS = ("title", "summary", "story", "theme", "place_description", "audience", "planning")
_PLAIN = (*_TEXTS, "area_id", "latitude", "longitude", "target_cents")


def content_of(session: Session, initiative: Initiative) -> Content:
    """What an initiative says now. What is not on its row (the rules check) comes from its latest revision."""
    content: Content = dict(EMPTY) | {name: getattr(initiative, name) for name in _PLAIN}
    content["area_name"] = name_of(session, initiative.area_id) or ""
    deadline: dt.date | None = initiative.deadline_on
    content["deadline_on"] = deadline.isoformat() if deadline else None
    lines = select(BudgetLine).where(BudgetLine.initiative_id == initiative.id).order_by(BudgetLine.position)
    content["budget"] = [
        {"description": line.description, "amount_cents": line.amount_cents} for line in session.scalars(lines)
    ]
    needs = select(InitiativeNeed).where(InitiativeNeed.initiative_id == initiative.id)
    needs = needs.order_by(InitiativeNeed.position)
    content["needs"] = [{"kind": need.kind, "description": need.description} for need in session.scalars(needs)]
    kept = next((revision.content for revision in latest_revisions(session, initiative.id, 1)), EMPTY)
    content |= {name: kept.get(name, EMPTY[name]) for name in ("rule_answers", "rule_snapshot")}
    return content | {"pictures": pictures_in(session, initiative.id)}


def pictures_in(session: Session, initiative_id: int) -> list[dict[str, Any]]:
    """The pictures of an initiative as a content holds them. They are added and removed at once, without a copy."""
    return [{"id": picture.id, "alt": picture.alt} for picture in pictures_of(session, initiative_id)]


def _write_lines(
    session: Session,
    model: type[BudgetLine] | type[InitiativeNeed],
    initiative_id: int,
    lines: Sequence[Mapping[str, Any]],
) -> None:
    session.execute(delete(model).where(model.initiative_id == initiative_id))
    session.add_all(
        model(initiative_id=initiative_id, position=position, **line) for position, line in enumerate(lines, start=1)
    )


def working_copy(session: Session, initiative_id: int) -> Proposal:
    """What the organisers are writing; where nobody wrote yet, what the initiative says (version 0, not stored)."""
    found = session.get(Proposal, initiative_id, populate_existing=True)
    if found is not None:
        return found
    initiative = session.get(Initiative, initiative_id)
    if initiative is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    content = content_of(session, initiative)
    return Proposal(
        initiative_id=initiative_id, content=content, version=0, changed_in={}, saved_at=initiative.created_at
    )


def keep_revision(
    session: Session,
    initiative_id: int,
    kind: RevisionKind,
    *,
    content: Content,
    account_id: int | None,
    now: dt.datetime,
) -> Revision:
    """Write down what an initiative says from now on. The caller has locked the initiative."""
    latest = latest_revisions(session, initiative_id, 1)
    revision = Revision(
        initiative_id=initiative_id,
        number=latest[0].number + 1 if latest else 1,
        kind=kind.value,
        content=content,
        made_at=now,
        made_by_id=account_id,
    )
    session.add(revision)
    session.flush()
    return revision


def latest_revisions(session: Session, initiative_id: int, number: int) -> list[Revision]:
    """What an initiative said, the newest first."""
    query = select(Revision).where(Revision.initiative_id == initiative_id)
    return list(session.scalars(query.order_by(Revision.number.desc()).limit(number)))


def apply(session: Session, initiative: Initiative, content: Content, names: Iterable[str]) -> None:
    """Write these parts of a content to the row of its initiative, which the caller has locked."""
    wanted = set(names)
    for name in wanted.intersection(_PLAIN):
        setattr(initiative, name, content[name])
    if "deadline_on" in wanted:
        initiative.deadline_on = read_date(content["deadline_on"])  # type: ignore[assignment]  # drafts have none
    if "budget" in wanted:
        _write_lines(session, BudgetLine, initiative.id, content["budget"])
    if "needs" in wanted:
        _write_lines(session, InitiativeNeed, initiative.id, content["needs"])
    session.flush()


def read_date(text: str | None) -> dt.date | None:
    """A day as a content holds it."""
    return dt.date.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A part that differs, in words that a reader understands. ``needs_desk``: givers relied on it."""

    field: str
    label: str
    old: str
    new: str

    @property
    def needs_desk(self) -> bool:
        """Whether it goes back to the desk when the initiative is published."""
        return self.field in RELIED_ON


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FieldChange]:
    """What differs between two contents, field by field and in the order of the wizard."""
    found = []
    for field, (label, write) in _FIELDS.items():
        before, after = write({**EMPTY, **old}), write({**EMPTY, **new})
        if before != after:
            found.append(FieldChange(field, str(label), before, after))
    return found


def readable(content: Mapping[str, Any], field: str) -> str:
    """One part of a content as a reader sees it."""
    return _FIELDS[field][1]({**EMPTY, **content})


def label_of(field: str) -> str:
    """What a part is called."""
    return str(_FIELDS[field][0])


def _text(name: str) -> Callable[[Content], str]:
    return lambda content: str(content[name] or "")


def _theme(content: Content) -> str:
    return next((theme.label for theme in Theme if theme.value == content["theme"]), "")


def _point(content: Content) -> str:
    if content["latitude"] is None or content["longitude"] is None:
        return ""
    return f"{content['latitude']:.5f}, {content['longitude']:.5f}"


def _amount(content: Content) -> str:
    return format_euros(content["target_cents"]) if content["target_cents"] else ""


def _budget(content: Content) -> str:
    return "\n".join(f"{line['description']}: {format_euros(line['amount_cents'])}" for line in content["budget"])


def _deadline(content: Content) -> str:
    day = read_date(content["deadline_on"])
    return format_date(day, "d MMMM y", locale=get_locale() or "nl") if day else ""


def _help_asked(content: Content) -> str:
    return "\n".join(f"{NeedKind(need['kind']).label}: {need['description']}" for need in content["needs"])


def _answers(content: Content) -> str:
    """The questions in the words in which they were asked, when those were kept; else by their key."""
    asked = {entry["key"]: entry["question"] for entry in content["rule_snapshot"]}
    lines = []
    for key in [*asked, *sorted(set(content["rule_answers"]) - set(asked))]:
        answer = read_answer(content["rule_answers"].get(key))
        if answer is not None:
            lines.append(f"{asked.get(key, key)} {answer.label}")
    return "\n".join(lines)


def _pictures(content: Content) -> str:
    return "\n".join(picture["alt"] or _("foto zonder beschrijving") for picture in content["pictures"])


_FIELDS: dict[str, tuple[Any, Callable[[Content], str]]] = {
    "title": (_l("Titel"), _text("title")),
    "summary": (_l("In het kort"), _text("summary")),
    "theme": (_l("Thema"), _theme),
    "story": (_l("Het plan"), _text("story")),
    "area_id": (_l("Voor welke buurt"), _text("area_name")),
    "place_description": (_l("Plek"), _text("place_description")),
    "latitude": (_l("Punt op de kaart"), _point),
    "audience": (_l("Voor wie"), _text("audience")),
    "target_cents": (_l("Streefbedrag"), _amount),
    "budget": (_l("Begroting"), _budget),
    "deadline_on": (_l("Streefdatum"), _deadline),
    "planning": (_l("Planning"), _text("planning")),
    "needs": (_l("Hulp die nog nodig is"), _help_asked),
    "rule_answers": (_l("Regelcheck"), _answers),
    "pictures": (_l("Foto's"), _pictures),
}
