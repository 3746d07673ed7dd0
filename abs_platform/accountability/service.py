# SPDX-License-Identifier: EUPL-1.2
"""The verbs of who writes an accountability: saved as it goes, with its receipts and pictures, and sent to the desk."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.accountability import queries
from abs_platform.accountability.models import Accountability, CostLine, CostReceipt
from abs_platform.accountability.states import MAX_LINES, TRANSITIONS, WRITABLE_STATES, AccountabilityState
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.initiatives.service import lock
from abs_platform.initiatives.states import InitiativeState
from abs_platform.lives import check_move
from abs_platform.media.keeping import KeptFile
from abs_platform.media.service import add_picture, remove_picture
from abs_platform.media.states import Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class CostInput:
    """What was filled in for one line. ``seen_cents`` is the amount that the writer had before her."""

    description: str = ""
    actual_cents: int | None
    no_receipt_reason: str = ""
    seen_cents: int | None = None


def save_story(
    session: Session, initiative_id: int, story: str, *, version: int, by_id: int, actor: Actor, now: dt.datetime
) -> Accountability:
    """Keep the story as it is now. Raises: Conflict when another organiser saved meanwhile, or when it was sent."""
    found = _open(session, initiative_id, by_id=by_id, actor=actor, now=now)
    if found.story != story:
        if found.story_version != version:
            raise Conflict(_("Een andere organisator heeft dit intussen veranderd. Kijk welke tekst het moet worden."))
        found.story, found.story_version = story, version + 1
    return _saved(session, found, by_id, now)


def save_cost(
    session: Session,
    initiative_id: int,
    position: int | None,
    cost: CostInput,
    *,
    by_id: int,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Keep what one line really cost; returns its position. Without a position it is a cost that was not in the budget.

    Raises: NotFound; Conflict when another organiser changed this line meanwhile, or when it was sent; InvalidInput.
    """
    found = _open(session, initiative_id, by_id=by_id, actor=actor, now=now)
    if position is None:
        line = _new_line(session, initiative_id, cost.description)
    else:
        line = _line(session, initiative_id, position)
    if position is not None and line.actual_cents not in {cost.seen_cents, cost.actual_cents}:
        raise Conflict(_("Een andere organisator heeft dit bedrag intussen veranderd. Kijk welk bedrag klopt."))
    if line.planned_cents is None and cost.description:
        line.description = cost.description
    line.actual_cents, line.no_receipt_reason = cost.actual_cents, cost.no_receipt_reason
    _saved(session, found, by_id, now)
    return line.position


def _new_line(session: Session, initiative_id: int, description: str) -> CostLine:
    positions = session.scalars(select(CostLine.position).where(CostLine.initiative_id == initiative_id)).all()
    if len(positions) >= MAX_LINES:
        message = _("Er kunnen hoogstens %(most)s regels zijn. Voeg er een paar samen.", most=MAX_LINES)
        raise InvalidInput(message, fields={"description": message})
    position = max(positions, default=0) + 1
    line = CostLine(initiative_id=initiative_id, position=position, description=description, no_receipt_reason="")
    session.add(line)
    return line


def _line(session: Session, initiative_id: int, position: int) -> CostLine:
    query = select(CostLine).where(CostLine.initiative_id == initiative_id, CostLine.position == position)
    line = session.scalar(query.execution_options(populate_existing=True))
    if line is None:
        raise NotFound(_("Deze regel is er niet (meer)."))
    return line


def remove_cost(
    session: Session, initiative_id: int, position: int, *, by_id: int, actor: Actor, now: dt.datetime
) -> None:
    """Take away a line that was not in the budget, with its receipts. Raises: NotFound, Conflict."""
    found = _open(session, initiative_id, by_id=by_id, actor=actor, now=now)
    line = _line(session, initiative_id, position)
    if line.planned_cents is not None:
        raise Conflict(_("Een regel uit de begroting blijft staan. Vul 0 in als het niets heeft gekost."))
    for picture_id in session.scalars(select(CostReceipt.picture_id).where(CostReceipt.cost_id == line.id)).all():
        _drop_receipt(session, initiative_id, picture_id, actor=actor, now=now)
    session.delete(line)
    _saved(session, found, by_id, now)


def add_receipt(
    session: Session,
    initiative_id: int,
    position: int,
    kept: KeptFile,
    file_name: str,
    *,
    by_id: int,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Put a receipt to a cost. Raises: NotFound, Conflict, InvalidInput when it is there already."""
    found = _open(session, initiative_id, by_id=by_id, actor=actor, now=now)
    line = _line(session, initiative_id, position)
    picture = add_picture(
        session,
        kept,
        purpose=Purpose.RECEIPT,
        initiative_id=initiative_id,
        uploaded_by_id=by_id,
        actor=actor,
        now=now,
    )
    session.add(CostReceipt(picture_id=picture.id, cost_id=line.id, file_name=file_name))
    _saved(session, found, by_id, now)


def remove_receipt(
    session: Session, initiative_id: int, picture_id: int, *, by_id: int, actor: Actor, now: dt.datetime
) -> None:
    """Take a receipt away again, as long as it is with the organisers. Raises: NotFound, Conflict."""
    found = _open(session, initiative_id, by_id=by_id, actor=actor, now=now)
    if queries.receipt(session, initiative_id, picture_id) is None:
        raise NotFound(_("Deze bon is er niet (meer)."))
    _drop_receipt(session, initiative_id, picture_id, actor=actor, now=now)
    _saved(session, found, by_id, now)


def add_photo(
    session: Session,
    initiative_id: int,
    kept: KeptFile,
    alt_text: str,
    *,
    is_decorative: bool,
    by_id: int,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Put a picture of how it went. Raises: Conflict when it was sent, InvalidInput."""
    found = _open(session, initiative_id, by_id=by_id, actor=actor, now=now)
    add_picture(
        session,
        kept,
        purpose=Purpose.ACCOUNTABILITY,
        initiative_id=initiative_id,
        alt_text=alt_text,
        is_decorative=is_decorative,
        uploaded_by_id=by_id,
        actor=actor,
        now=now,
    )
    _saved(session, found, by_id, now)


def remove_photo(
    session: Session, initiative_id: int, picture_id: int, *, by_id: int, actor: Actor, now: dt.datetime
) -> None:
    """Take a picture away. Raises: Conflict when it was sent, NotFound."""
    found = _open(session, initiative_id, by_id=by_id, actor=actor, now=now)
    remove_picture(session, picture_id, initiative_id=initiative_id, actor=actor, now=now)
    _saved(session, found, by_id, now)


def refuse_when_sent(session: Session, initiative_id: int) -> None:
    """See that it is with the organisers, and keep it there for this transaction. Raises: Conflict."""
    found = session.get(Accountability, initiative_id, with_for_update=True, populate_existing=True)
    if found is None or found.state not in WRITABLE_STATES:
        raise Conflict(_("De verantwoording ligt bij de wijkregisseur. Je kunt er nu niets aan veranderen."))


def submit(session: Session, initiative_id: int, *, by_id: int, actor: Actor, now: dt.datetime) -> bool:
    """Send it to the desk; False when another organiser did so just before.

    Raises: InvalidInput naming all that is missing. Locks: the initiative, then the accountability.
    """
    found = _locked(session, initiative_id, by_id=by_id, actor=actor, now=now)
    if found.state == AccountabilityState.SUBMITTED:
        return False
    problems = problems_of(session, initiative_id)
    if problems:
        raise InvalidInput(_("De verantwoording is nog niet klaar om te versturen."), fields=problems)
    _step(found, AccountabilityState.SUBMITTED)
    found.submitted_at = now
    _saved(session, found, by_id, now)
    events.record(session, "initiative.accountability_submitted", initiative_id, actor=actor, now=now)
    return True


def problems_of(session: Session, initiative_id: int) -> dict[str, str]:
    """What still stands in the way of sending it: field and sentence."""
    account = queries.find(session, initiative_id)
    problems: dict[str, str] = {}
    if account is None or not account.story:
        problems["story"] = _("Vertel hoe het is gegaan.")
    for cost in account.costs if account else ():
        if cost.actual_cents is None:
            problems[f"cost-{cost.position}"] = _("Vul in wat '%(what)s' echt heeft gekost.", what=cost.description)
        elif not cost.has_proof:
            problems[f"cost-{cost.position}"] = _(
                "Voeg een bon toe bij '%(what)s', of schrijf op waarom die er niet is.", what=cost.description
            )
    if account and any(picture.needs_alt for picture in account.pictures):
        problems["pictures"] = _("Beschrijf wat er op elke foto te zien is.")
    return problems


def _open(session: Session, initiative_id: int, *, by_id: int, actor: Actor, now: dt.datetime) -> Accountability:
    found = _locked(session, initiative_id, by_id=by_id, actor=actor, now=now)
    if found.state not in WRITABLE_STATES:
        raise Conflict(_("De verantwoording ligt bij de wijkregisseur. Je kunt er nu niets aan veranderen."))
    return found


def _locked(session: Session, initiative_id: int, *, by_id: int, actor: Actor, now: dt.datetime) -> Accountability:
    """The accountability for this transaction alone, made with the lines of the budget when it was not there yet."""
    initiative = lock(session, initiative_id)
    found = session.get(Accountability, initiative_id, with_for_update=True, populate_existing=True)
    if found is not None:
        return found
    if initiative.state != InitiativeState.IN_PROGRESS:
        raise Conflict(_("Verantwoorden kan als jullie zijn begonnen."))
    found = Accountability(
        initiative_id=initiative_id, state=AccountabilityState.DRAFT.value, saved_at=now, saved_by_id=by_id
    )
    session.add(found)
    session.flush()
    session.add_all(
        CostLine(initiative_id=initiative_id, position=position, description=description[:120], planned_cents=cents)
        for position, (description, cents) in enumerate(queries.budget_of(session, initiative_id), start=1)
    )
    session.flush()
    events.record(session, "initiative.accountability_begun", initiative_id, actor=actor, now=now)
    return found


def _saved(session: Session, found: Accountability, by_id: int, now: dt.datetime) -> Accountability:
    found.saved_at, found.saved_by_id = now, by_id
    session.flush()
    return found


def _drop_receipt(session: Session, initiative_id: int, picture_id: int, *, actor: Actor, now: dt.datetime) -> None:
    session.execute(delete(CostReceipt).where(CostReceipt.picture_id == picture_id))
    remove_picture(session, picture_id, initiative_id=initiative_id, actor=actor, now=now)


def _step(found: Accountability, target: AccountabilityState) -> None:
    check_move(TRANSITIONS, AccountabilityState(found.state), target, _("de verantwoording"))
    found.state = target.value
