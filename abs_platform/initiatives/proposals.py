# SPDX-License-Identifier: EUPL-1.2
"""What organisers write: a working copy, saved as they go, sent to the desk, and after publishing changed in part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import events, outbox
from abs_platform.accounts.queries import district_managers, verified_address
from abs_platform.actors import Actor
from abs_platform.areas.queries import name_of
from abs_platform.clock import local_date
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.initiatives.changing import (
    approve_change,
    discard_change,
    note_pictures,
    refuse_change,
    refuse_when_not_theirs,
    send_change,
    withdraw_change,
)
from abs_platform.initiatives.content import (
    DERIVED,
    EMPTY,
    RELIED_ON,
    Content,
    FieldChange,
    apply,
    changes_between,
    content_of,
    keep_revision,
    latest_revisions,
    pictures_in,
    working_copy,
)
from abs_platform.initiatives.models import Initiative, Organiser, Proposal
from abs_platform.initiatives.permissions import CHANGEABLE_STATES
from abs_platform.initiatives.service import lock
from abs_platform.initiatives.states import InitiativeState, OrganiserRole, RevisionKind, Theme
from abs_platform.initiatives.submitting import problems_of_content, submit
from abs_platform.municipality import Rules
from abs_platform.rulebook.queries import snapshot
from abs_platform.users import User
from abs_platform.working_days import answer_by

# All that has to do with what organisers write, in one place for whoever calls it.
__all__ = [
    "Content",
    "FieldChange",
    "Sent",
    "approve_change",
    "changes_between",
    "content_of",
    "discard_change",
    "latest_revisions",
    "note_pictures",
    "problems_of_content",
    "refuse_change",
    "save",
    "send",
    "start",
    "withdraw_change",
    "working_copy",
]

MAX_OPEN_DRAFTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of sending. ``is_new`` is false when it was sent already; ``waits`` when the desk must look at it."""

    is_new: bool
    waits: bool
    answer_by: dt.date


def start(
    session: Session, user: User, *, title: str, theme: Theme, summary: str = "", actor: Actor, now: dt.datetime
) -> Initiative:
    """Begin an initiative; nobody but its organisers sees it. Its address is the initiator's verified one, if any.

    Raises: Conflict with too many drafts that are not finished.
    """
    _refuse_too_many_drafts(session, user.account_id)
    content = dict(EMPTY) | {"title": title, "theme": theme.value, "summary": summary}
    initiative = Initiative(
        title=title,
        summary=summary,
        story="",
        theme=theme.value,
        state=InitiativeState.DRAFT.value,
        created_at=now,
    )
    session.add(initiative)
    session.flush()
    address = verified_address(session, user.account_id)
    session.add(
        Organiser(
            initiative_id=initiative.id,
            account_id=user.account_id,
            role=OrganiserRole.INITIATOR.value,
            name=user.short_name,
            email=user.email,
            postcode=address.postcode if address else None,
            house_number=address.house_number if address else None,
            address_verified_at=address.verified_at if address else None,
            is_name_public=False,  # only who says so is named on the site
            confirmed_at=now,
        )
    )
    session.add(
        Proposal(initiative_id=initiative.id, content=content, changed_in={}, saved_at=now, saved_by_id=user.account_id)
    )
    events.record(session, "initiative.created", initiative.id, actor=actor, now=now)
    session.flush()
    return initiative


def _refuse_too_many_drafts(session: Session, account_id: int) -> None:
    own = select(func.count()).select_from(Organiser).join(Initiative, Initiative.id == Organiser.initiative_id)
    own = own.where(Organiser.account_id == account_id, Organiser.role == OrganiserRole.INITIATOR.value)
    if (session.scalar(own.where(Initiative.state == InitiativeState.DRAFT.value)) or 0) >= MAX_OPEN_DRAFTS:
        raise Conflict(
            _(
                "Je hebt al %(most)s ideeën die nog niet af zijn. Maak er eerst een af, of trek er een in.",
                most=MAX_OPEN_DRAFTS,
            )
        )


def save(
    session: Session,
    initiative_id: int,
    changes: Mapping[str, Any],
    *,
    version: int,
    account_id: int | None,
    now: dt.datetime,
) -> Proposal:
    """Keep what was typed. ``version`` is the one that the writer had before her.

    Raises: Conflict when somebody changed the same parts after that version, when it is not with the organisers, or
    when it touches a change that waits for the desk.
    Locks: the initiative.
    """
    if unknown := set(changes) - (set(EMPTY) - set(DERIVED) - {"pictures"}):
        raise ValueError(f"not parts of a content: {sorted(unknown)}")
    initiative = lock(session, initiative_id)
    refuse_when_not_theirs(initiative)
    proposal = working_copy(session, initiative_id)
    altered = {name: value for name, value in changes.items() if proposal.content[name] != value}
    if any(proposal.changed_in.get(name, 0) > version for name in altered):
        raise Conflict(_("Iemand anders heeft dit intussen veranderd. Kijk welke tekst het moet worden."))
    if proposal.sent_at is not None and RELIED_ON.intersection(altered):
        raise Conflict(
            _("Er wacht al een wijziging op de wijkregisseur. Trek die eerst in als je dit wilt veranderen.")
        )
    if not altered and proposal.version:
        return proposal
    proposal.content = _with_derived(session, {**proposal.content, **altered}, altered)
    proposal.version += 1
    proposal.changed_in = proposal.changed_in | dict.fromkeys(altered, proposal.version)
    proposal.saved_at, proposal.saved_by_id = now, account_id
    session.add(proposal)
    if initiative.state == InitiativeState.DRAFT and proposal.content["title"]:
        initiative.title = proposal.content["title"]  # what the organisers' own lists call it
    session.flush()
    return proposal


def _with_derived(session: Session, content: Content, altered: Iterable[str]) -> Content:
    for name, source in DERIVED.items():
        if source not in altered:
            continue
        if name == "area_name":
            content[name] = name_of(session, content["area_id"]) or ""
        elif name == "target_cents":
            content[name] = sum(line["amount_cents"] for line in content["budget"]) or None
        else:
            content[name] = snapshot(session, content["rule_answers"])
    return content


def send(
    session: Session,
    initiative_id: int,
    *,
    rules: Rules,
    account_id: int | None,
    actor: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> Sent:
    """Send what was written: to the desk, or after publishing live where it may. Sending twice sends once.

    With ``version`` only what the sender saw. Raises: InvalidInput naming all that is missing, Conflict, NotFound.
    Locks: the initiative.
    """
    initiative = lock(session, initiative_id)
    days = rules.answer_working_days
    if initiative.state == InitiativeState.SUBMITTED:
        return Sent(is_new=False, waits=True, answer_by=answer_by(initiative.submitted_at or now, days))
    refuse_when_not_theirs(initiative)
    proposal = working_copy(session, initiative_id)
    if version is not None and version != proposal.version:
        raise Conflict(_("Iemand anders heeft intussen iets veranderd. Kijk het nog één keer na en verstuur het dan."))
    if initiative.state in CHANGEABLE_STATES:
        waits = send_change(session, initiative, proposal, rules=rules, account_id=account_id, actor=actor, now=now)
        return Sent(is_new=True, waits=waits, answer_by=answer_by(now, days))
    number = _send_text(session, initiative, proposal.content, rules, account_id=account_id, actor=actor, now=now)
    sent = Sent(is_new=True, waits=True, answer_by=answer_by(now, days))
    _tell_organisers(session, initiative, number, sent.answer_by, now)
    return sent


def _send_text(
    session: Session,
    initiative: Initiative,
    written: Content,
    rules: Rules,
    *,
    account_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Let the row say what was written, and put it on the desk; returns the number of the revision."""
    found = problems_of_content(session, initiative.id, written, rules, local_date(now))
    if found:
        raise InvalidInput(_("Je initiatief is nog niet klaar om te versturen."), fields=found)
    content = written | {
        "rule_snapshot": snapshot(session, written["rule_answers"]),
        "pictures": pictures_in(session, initiative.id),
    }
    apply(session, initiative, content, EMPTY)
    submit(session, initiative.id, rules=rules, actor=actor, now=now)
    kept = keep_revision(
        session, initiative.id, RevisionKind.SUBMITTED, content=content, account_id=account_id, now=now
    )
    return kept.number


def _tell_organisers(session: Session, initiative: Initiative, number: int, promise: dt.date, now: dt.datetime) -> None:
    """One mail to each who carries it: that it was sent, and when they hear at the latest."""
    managers = district_managers(session, initiative.desk_area_id or 0, local_date(now))
    organisers = select(Organiser).where(Organiser.initiative_id == initiative.id, Organiser.confirmed_at.is_not(None))
    for organiser in session.scalars(organisers.order_by(Organiser.id)):
        outbox.queue(
            session,
            "initiative_submitted",
            to=organiser.email,
            event=f"initiative.submitted:{initiative.id}:{number}",
            now=now,
            to_name=organiser.name,
            title=initiative.title,
            initiative_id=initiative.id,
            answer_by=promise,
            managers=[name for _account_id, _email, name in managers],
        )
