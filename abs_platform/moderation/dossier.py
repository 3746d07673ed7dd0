# SPDX-License-Identifier: EUPL-1.2
"""Everything about one initiative on the one screen of the desk, for the eyes of who opens it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform.accountability.permissions import can_review
from abs_platform.accountability.queries import was_sent
from abs_platform.accounts.queries import names_of
from abs_platform.areas.queries import AreaRow, list_areas, scope_of
from abs_platform.areas.states import AreaLevel
from abs_platform.clock import local_date
from abs_platform.donations.queries import Total, total_of
from abs_platform.initiatives.content import Content, content_of
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.states import InitiativeState, Theme
from abs_platform.initiatives.submitting import count_addresses
from abs_platform.media.queries import PictureView, pictures_of
from abs_platform.moderation import permissions, queries, review
from abs_platform.moderation.deciding import fingerprint
from abs_platform.moderation.history import Happening, history_of
from abs_platform.moderation.promises import Promise, promise_of
from abs_platform.moderation.service import desk_people
from abs_platform.moderation.states import ABOUT_A_CHANGE, DecisionKind
from abs_platform.municipality import Rules
from abs_platform.payouts.permissions import can_see_at_desk
from abs_platform.payouts.queries import latest_state
from abs_platform.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the reader may do on this screen."""

    decide: list[DecisionKind]
    take_up: bool
    tick: bool
    write: bool
    note: bool
    set_rule_aside: bool
    review_account: bool
    see_payout: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The whole screen. ``drafts`` are only those that this reader may see; ``own_draft`` is the reader's."""

    initiative: Initiative
    subject: Subject
    state: InitiativeState
    theme: Theme
    content: Content
    pictures: list[PictureView]
    place: str
    desk: str
    handler: str
    promise: Promise | None
    organisers: list[queries.OrganiserRow]
    address_count: int
    recipients: list[queries.Recipient]
    checklist: list[review.Check]
    changes: review.Changes | None
    messages: list[queries.MessageRow]
    notes: list[queries.NoteRow]
    similar: list[review.Similar]
    history: list[Happening]
    decisions: list[queries.DecisionRow]
    own_draft: queries.DraftRow | None
    is_draft_old: bool
    other_drafts: list[queries.DraftRow]
    overrides: list[queries.OverrideRow]
    raised: Total
    rights: Rights
    desks: list[tuple[int, str]]
    people: list[queries.Recipient]

    @property
    def has_waiting_message(self) -> bool:
        """Whether the organisers wrote something that nobody dealt with."""
        return any(message.is_waiting for message in self.messages)

    @property
    def checks_done(self) -> int:
        """How many lines of the checklist are ticked for the text that is there now."""
        return sum(check.ticked_at is not None and not check.is_old for check in self.checklist)


def open_dossier(session: Session, subject: Subject, *, user: User, rules: Rules, now: dt.datetime) -> Dossier:
    """All that this reader may see of an initiative. The caller asked ``can_open``. Raises: NotFound."""
    initiative = queries.initiative_of(session, subject.id)
    today, number = local_date(now), initiative.id
    content = content_of(session, initiative)
    organisers = queries.organisers_of(session, number)
    names = {row.account_id: row.name for row in organisers if row.account_id is not None}
    areas = list_areas(session, AreaLevel.DISTRICT, AreaLevel.MUNICIPALITY)
    changes = review.changes_since(session, initiative)
    drafts = _visible_drafts(session, subject, user)
    own = next((draft for draft in drafts if draft.author_id == user.account_id), None)
    handler_id = initiative.handler_id
    return Dossier(
        initiative=initiative,
        subject=subject,
        state=subject.state,
        theme=Theme(initiative.theme),
        content=content,
        pictures=pictures_of(session, number),
        place=place_of(session, initiative.area_id),
        desk=next((desk_label(area) for area in areas if area.id == initiative.desk_area_id), ""),
        handler=names_of(session, [handler_id]).get(handler_id, "") if handler_id else "",
        promise=promise_of(session, number, now=now, days=rules.answer_working_days),
        organisers=organisers,
        address_count=count_addresses(session, number),
        recipients=queries.recipients_of(session, number),
        checklist=review.checklist_of(session, initiative, content, today),
        changes=changes,
        messages=queries.messages_of(session, number, names),
        notes=queries.notes_of(session, number),
        similar=review.similar_to(session, initiative),
        history=history_of(session, number, names),
        decisions=queries.decisions_of(session, number),
        own_draft=own,
        is_draft_old=own is not None and own.seen != fingerprint(session, initiative),
        other_drafts=[draft for draft in drafts if draft is not own],
        overrides=queries.overrides_of(session, number),
        raised=total_of(session, number),
        rights=_rights(session, initiative, subject, user),
        desks=[(area.id, desk_label(area)) for area in areas if area.id != initiative.desk_area_id],
        people=desk_people(session, initiative.desk_area_id or 0, now),
    )


def _visible_drafts(session: Session, subject: Subject, user: User) -> list[queries.DraftRow]:
    return [
        draft
        for draft in queries.drafts_of(session, subject.id)
        if permissions.can_see_draft(user, subject, draft.author_id, draft.desk_area_id)
    ]


def _rights(session: Session, initiative: Initiative, subject: Subject, user: User) -> Rights:
    waits = review.change_that_waits(session, initiative) is not None
    return Rights(
        decide=[
            kind
            for kind in sorted(DecisionKind, key=lambda kind: kind not in ABOUT_A_CHANGE)  # what waits comes first
            if permissions.can_decide(user, subject, kind) and (waits or kind not in ABOUT_A_CHANGE)
        ],
        take_up=permissions.can_take_up(user, subject),
        tick=permissions.can_tick(user, subject),
        write=permissions.can_write_to_organisers(user, subject),
        note=permissions.can_note(user, subject),
        set_rule_aside=permissions.can_set_rule_aside(user, subject),
        review_account=can_review(user, subject) and was_sent(session, subject.id),
        see_payout=can_see_at_desk(user, subject) and latest_state(session, subject.id) is not None,
    )


def place_of(session: Session, area_id: int) -> str:
    """Where it is, in a word or two."""
    scope = scope_of(session, area_id)
    if scope is None or scope.level == AreaLevel.MUNICIPALITY:
        return str(_("Hele gemeente"))
    if scope.district_name in {None, scope.name}:
        return scope.name
    return f"{scope.name}, {scope.district_name}"


def desk_label(area: AreaRow) -> str:
    """What a desk is called."""
    return str(_("Hele gemeente")) if area.level == AreaLevel.MUNICIPALITY else area.name
