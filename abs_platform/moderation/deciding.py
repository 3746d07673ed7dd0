# SPDX-License-Identifier: EUPL-1.2
"""Deciding in two steps: a private draft, then the mail that is shown and goes out as it was shown."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import events, outbox
from abs_platform.areas.queries import list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.clock import local_date
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.changing import approve_change, refuse_change
from abs_platform.initiatives.content import RELIED_ON
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.subjects import subject_of
from abs_platform.initiatives.submitting import problems_of
from abs_platform.moderation import permissions
from abs_platform.moderation.history import last_turn
from abs_platform.moderation.letters import Choice, Letter, compose
from abs_platform.moderation.models import Decision, DecisionDraft
from abs_platform.moderation.queries import initiative_of, last_decision_id
from abs_platform.moderation.review import change_that_waits
from abs_platform.moderation.service import MAX_TEXT, handle_messages, refusal
from abs_platform.moderation.states import ABOUT_A_CHANGE, DECIDABLE, WITHOUT_REASON, DecisionKind
from abs_platform.municipality import Rules
from abs_platform.users import User

if TYPE_CHECKING:
    from abs_platform.initiatives.models import Initiative

_K = DecisionKind


class DecidedMeanwhile(Conflict):
    """What lay before the writer is not what lies there now."""


def fingerprint(session: Session, initiative: Initiative) -> str:
    """What a decision is about: the state, what was sent, the change that waits, and what was decided before."""
    waiting = change_that_waits(session, initiative)
    change = {name: waiting.content.get(name) for name in sorted(RELIED_ON)} if waiting is not None else None
    lies_there = (
        initiative.state,
        str(initiative.submitted_at),
        initiative.desk_area_id,
        last_decision_id(session, initiative.id),
        change,
    )
    return hashlib.sha256(json.dumps(lies_there, sort_keys=True).encode()).hexdigest()[:32]


def keep_draft(session: Session, initiative_id: int, choice: Choice, *, user: User, now: dt.datetime) -> DecisionDraft:
    """Keep what this person is writing, about what lies there now. Nobody is told.

    Raises: NotAllowed, InvalidInput for a text that is too long, or for what is no desk.
    Locks: the initiative.
    """
    initiative = initiatives.lock(session, initiative_id)
    subject = subject_of(session, initiative_id)
    if not permissions.can_decide(user, subject, choice.kind) or subject.desk_area_id is None:
        raise _refuse(session, subject, choice.kind, user, now)
    if len(choice.reason) > MAX_TEXT:
        sentence = _("Maak je tekst korter: hoogstens %(longest)s tekens.", longest=MAX_TEXT)
        raise InvalidInput(sentence, fields={"reason": sentence})
    to_area_id = choice.to_area_id if choice.kind == _K.HAND_OVER else None
    if to_area_id is not None and to_area_id not in _desks(session):
        raise _another_desk()
    seen = fingerprint(session, initiative)
    draft = session.get(DecisionDraft, (initiative_id, user.account_id), populate_existing=True)
    if draft is None:
        draft = DecisionDraft(initiative_id=initiative_id, author_id=user.account_id)
        session.add(draft)
    draft.desk_area_id = subject.desk_area_id
    draft.kind, draft.reason = choice.kind.value, choice.reason.strip()
    draft.to_area_id, draft.seen, draft.saved_at = to_area_id, seen, now
    session.flush()
    return draft


def _refuse(session: Session, subject: Subject, kind: DecisionKind, user: User, now: dt.datetime) -> Exception:
    """Why not: too late, or the wrong person."""
    is_right_person = any(
        permissions.can_decide(user, replace(subject, state=state), kind) for state in DECIDABLE[kind]
    )
    turn = last_turn(session, subject.id)
    if is_right_person and turn is not None:
        return DecidedMeanwhile(_("Dit kan nu niet meer. %(what)s", what=turn.sentence))
    return refusal(session, subject, user, now)


def discard_draft(session: Session, initiative_id: int, *, user: User) -> None:
    """Throw away what I was writing."""
    draft = session.get(DecisionDraft, (initiative_id, user.account_id))
    if draft is not None:
        session.delete(draft)
        session.flush()


def check(session: Session, initiative: Initiative, choice: Choice, *, rules: Rules, now: dt.datetime) -> None:
    """Whether the decision is whole and could be given now. Raises: InvalidInput, Conflict."""
    if choice.kind not in WITHOUT_REASON and not choice.reason.strip():
        sentence = _("Geef een reden. De organisatoren lezen die in hun mail.")
        raise InvalidInput(sentence, fields={"reason": sentence})
    if choice.kind == _K.HAND_OVER and choice.to_area_id not in _desks(session) - {initiative.desk_area_id}:
        raise _another_desk()
    if choice.kind in ABOUT_A_CHANGE and change_that_waits(session, initiative) is None:
        raise DecidedMeanwhile(_("Er wacht geen wijziging (meer)."))
    if choice.kind == _K.PUBLISH:
        _check_publishable(session, initiative, rules, local_date(now))


def _another_desk() -> InvalidInput:
    sentence = _("Kies een andere balie.")
    return InvalidInput(sentence, fields={"to_area_id": sentence})


def _desks(session: Session) -> set[int]:
    """Where something can lie: a district or village of today, or the municipality."""
    return {area.id for area in list_areas(session, AreaLevel.DISTRICT, AreaLevel.MUNICIPALITY)}


def _check_publishable(session: Session, initiative: Initiative, rules: Rules, today: dt.date) -> None:
    """The rules still hold at the moment of publishing: an organiser may have left meanwhile (rule 4)."""
    problems = problems_of(session, initiative, rules, today)
    if problems:
        hint = _("Vraag de organisatoren om een aanpassing, of de beheerder om een uitzondering.")
        raise InvalidInput(" ".join([*problems.values(), hint]), fields={"form": " ".join([*problems.values(), hint])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A draft with the mail that would go out now. ``is_old``: something happened since it was written."""

    choice: Choice
    letter: Letter
    is_old: bool


def prepare(session: Session, initiative_id: int, *, user: User, rules: Rules, now: dt.datetime) -> Prepared | None:
    """What this person is about to send, or None without a draft. Reads only. Raises: InvalidInput, Conflict."""
    draft = session.get(DecisionDraft, (initiative_id, user.account_id), populate_existing=True)
    if draft is None:
        return None
    initiative = initiative_of(session, initiative_id)
    choice = _choice_of(draft)
    check(session, initiative, choice, rules=rules, now=now)
    letter = compose(session, initiative, choice, user=user, rules=rules, now=now)
    return Prepared(choice=choice, letter=letter, is_old=draft.seen != fingerprint(session, initiative))


def _choice_of(draft: DecisionDraft) -> Choice:
    return Choice(kind=_K(draft.kind), reason=draft.reason, to_area_id=draft.to_area_id)


def give(
    session: Session, initiative_id: int, *, shown: str, is_sure: bool, user: User, rules: Rules, now: dt.datetime
) -> Decision:
    """Give the decision that was drafted: move, write it down and mail it, as it was ``shown``, all or nothing.

    1. What lay before the writer must still lie there, else she is told who did what.
    2. The mail and its recipients must be those of the page before her.
    3. Stopping takes a second yes (``is_sure``), because gifts go back.

    Raises: DecidedMeanwhile, NotAllowed, InvalidInput.
    Locks: the initiative.
    """
    initiative = initiatives.lock(session, initiative_id)
    subject = subject_of(session, initiative_id)
    draft = session.get(DecisionDraft, (initiative_id, user.account_id), populate_existing=True)
    if draft is None:
        raise Conflict(_("Er is geen concept van jou. Misschien heb je het besluit al verstuurd."))
    choice = _choice_of(draft)
    if draft.seen != fingerprint(session, initiative):
        turn = last_turn(session, initiative_id)
        raise DecidedMeanwhile(turn.sentence if turn else _("Er is intussen iets veranderd."))
    if not permissions.can_decide(user, subject, choice.kind):
        raise _refuse(session, subject, choice.kind, user, now)
    check(session, initiative, choice, rules=rules, now=now)
    letter = compose(session, initiative, choice, user=user, rules=rules, now=now)
    if letter.digest != shown:
        raise Conflict(_("De mail of de ontvangers zijn intussen veranderd. Kijk nog een keer en verstuur dan."))
    if choice.kind == _K.STOP and not is_sure:
        sentence = _("Vink aan dat je het initiatief stopt en dat de giften teruggaan.")
        raise InvalidInput(sentence, fields={"is_sure": sentence})
    from_area_id = initiative.desk_area_id
    _apply(session, initiative, choice, user=user, rules=rules, now=now)
    decision = _write_down(session, initiative, choice, letter, from_area_id, user=user, now=now)
    if choice.kind not in {*ABOUT_A_CHANGE, _K.HAND_OVER}:  # the decision answers what she had read when she wrote it
        handle_messages(session, initiative_id, user=user, now=now, until=draft.saved_at)
    session.delete(draft)
    session.flush()
    return decision


def _apply(
    session: Session, initiative: Initiative, choice: Choice, *, user: User, rules: Rules, now: dt.datetime
) -> None:
    actor, reason, number = user.actor(), choice.reason, initiative.id
    if choice.kind == _K.PUBLISH:
        initiatives.publish(session, number, actor=actor, now=now)
    elif choice.kind == _K.REQUEST_CHANGES:
        initiatives.request_changes(session, number, reason=reason, actor=actor, now=now)
    elif choice.kind == _K.REJECT:
        initiatives.reject(session, number, reason=reason, actor=actor, now=now)
    elif choice.kind == _K.STOP:
        initiatives.stop(session, number, reason=reason, actor=actor, now=now)
    elif choice.kind == _K.APPROVE_CHANGE:
        approve_change(session, number, rules=rules, actor=actor, now=now)
    elif choice.kind == _K.REFUSE_CHANGE:
        refuse_change(session, number, reason=reason, actor=actor, now=now)
    else:
        _hand_over(session, initiative, choice, user=user, now=now)
    if choice.kind != _K.HAND_OVER and initiative.handler_id is None:
        initiative.handler_id = user.account_id  # who answers is who it comes back to


def _hand_over(session: Session, initiative: Initiative, choice: Choice, *, user: User, now: dt.datetime) -> None:
    """Another desk goes on. The answer-by date stays: it counts from the moment of sending."""
    moved = {"from_area": initiative.desk_area_id, "to_area": choice.to_area_id}
    initiative.desk_area_id, initiative.handler_id = choice.to_area_id, None
    events.record(
        session,
        "initiative.handed_over",
        initiative.id,
        actor=user.actor(),
        now=now,
        reason=choice.reason,
        **moved,
    )
    session.flush()


def _write_down(
    session: Session,
    initiative: Initiative,
    choice: Choice,
    letter: Letter,
    from_area_id: int | None,
    *,
    user: User,
    now: dt.datetime,
) -> Decision:
    """Keep the decision with its mail, and queue one mail for each recipient."""
    decision = Decision(
        initiative_id=initiative.id,
        kind=choice.kind.value,
        reason=choice.reason,
        desk_area_id=from_area_id,
        to_area_id=choice.to_area_id if choice.kind == _K.HAND_OVER else None,
        decided_by_id=user.account_id,
        decided_at=now,
        mail_subject=letter.mail.subject,
        mail_text=letter.mail.text,
        recipient_ids=[person.id for person in letter.recipients],
        desk_recipient_ids=[person.id for person in letter.desk_recipients],
    )
    session.add(decision)
    session.flush()
    for person in letter.recipients:
        outbox.queue_rendered(session, letter.mail, to=person.email, event=f"decision:{decision.id}", now=now)
    if letter.desk_mail is not None:
        for person in letter.desk_recipients:
            event = f"handed-over:{decision.id}"
            outbox.queue_rendered(session, letter.desk_mail, to=person.email, event=event, now=now)
    return decision
