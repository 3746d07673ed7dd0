# SPDX-License-Identifier: EUPL-1.2
"""The verbs of questions and answers: asked, answered, reported, hidden with a reason, closed."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import attempts, events, outbox
from abs_platform.accounts.queries import email_of
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.initiatives.service import lock
from abs_platform.questions import queries
from abs_platform.questions.models import Post, Report
from abs_platform.questions.states import (
    ANSWERS_PER_DAY,
    ASKING_STATES,
    DAY,
    QUESTIONS_PER_DAY,
    QUESTIONS_PER_INITIATIVE,
    REPORTS_PER_DAY,
    Voice,
)
from abs_platform.updates.mailing import tell_organisers


def ask(
    session: Session,
    initiative_id: int,
    body: str,
    *,
    author_id: int,
    name: str,
    key: bytes,
    actor: Actor,
    now: dt.datetime,
) -> Post:
    """Ask the organisers something, for all to read. ``key`` is what the limits count by.

    Raises: Conflict when there is nothing to ask (any more), TooManyAttempts.
    """
    initiative = _initiative(session, initiative_id)
    if initiative.state not in ASKING_STATES:
        raise Conflict(_("Bij dit initiatief kun je geen vragen meer stellen."))
    if not initiative.has_questions:
        raise Conflict(_("De vragen bij dit initiatief staan uit. Je kunt er nu geen stellen."))
    attempts.claim(session, "question.ask", key, most=QUESTIONS_PER_DAY, window=DAY, now=now)
    here = f"question.ask:{initiative_id}"
    attempts.claim(session, here, key, most=QUESTIONS_PER_INITIATIVE, window=DAY, now=now)
    post = _add(session, initiative_id, None, Voice.RESIDENT, body, author_id=author_id, now=now)
    events.record(session, "initiative.question_asked", initiative_id, actor=actor, now=now, post=post.id)
    tell_organisers(
        session,
        "question_asked",
        initiative_id,
        event=f"question:{post.id}",
        now=now,
        title=initiative.title,
        name=name,
        body=body,
        answer_url=outbox.site_url("questions.answer", post_id=post.id),
        manage_url=outbox.site_url("questions.manage", initiative_id=initiative_id),
    )
    return post


def answer(
    session: Session,
    question_id: int,
    body: str,
    *,
    voice: Voice,
    author_id: int,
    key: bytes,
    actor: Actor,
    now: dt.datetime,
) -> Post:
    """Answer in the name of the organisers or the municipality; who asked gets a mail.

    Raises: NotFound, Conflict when the question was hidden, TooManyAttempts.
    """
    question = _lock(session, question_id)
    if question.question_id is not None:
        raise NotFound(_("Deze vraag bestaat niet (meer)."))
    if question.hidden_at is not None:
        raise Conflict(_("Deze vraag is verborgen door de gemeente. Je kunt er niet op antwoorden."))
    attempts.claim(session, "question.answer", key, most=ANSWERS_PER_DAY, window=DAY, now=now)
    initiative = _initiative(session, question.initiative_id)
    post = _add(session, initiative.id, question.id, voice, body, author_id=author_id, now=now)
    events.record(session, "initiative.question_answered", initiative.id, actor=actor, now=now, post=post.id)
    email = email_of(session, question.author_id)
    if email:
        outbox.queue(
            session,
            "question_answered",
            to=email,
            event=f"answer:{post.id}",
            now=now,
            title=initiative.title,
            question=question.body,
            body=body,
            is_official=voice == Voice.OFFICIAL,
            questions_url=outbox.site_url(
                "questions.index", initiative_id=initiative.id, _anchor=f"vraag-{question.id}"
            ),
        )
    return post


def report(
    session: Session, post_id: int, reason: str, *, reporter_id: int, key: bytes, actor: Actor, now: dt.datetime
) -> bool:
    """Tell the desk that something does not belong there; once per person. Returns whether it was new.

    Raises: NotFound, Conflict when it was hidden already, TooManyAttempts.
    """
    post = _lock(session, post_id)
    if post.hidden_at is not None:
        raise Conflict(_("Dit is al verborgen door de gemeente."))
    if post.author_id == reporter_id:
        raise Conflict(_("Dit heb je zelf geschreven. Wil je het weg hebben? Mail of bel ons."))
    attempts.claim(session, "question.report", key, most=REPORTS_PER_DAY, window=DAY, now=now)
    new = insert(Report).values(post_id=post_id, reporter_id=reporter_id, reason=reason, reported_at=now)
    made = session.scalar(new.on_conflict_do_nothing(index_elements=["post_id", "reporter_id"]).returning(Report.id))
    if made is not None:
        events.record(session, "initiative.post_reported", post.initiative_id, actor=actor, now=now, post=post_id)
    return made is not None


def hide(session: Session, post_id: int, reason: str, *, by_id: int, actor: Actor, now: dt.datetime) -> None:
    """The desk takes a post off the page, settles its reports and mails the author once, with the reason.

    Answers to a hidden question go out of sight with it. Raises: NotFound, Conflict when it was hidden already.
    """
    post = _lock(session, post_id)
    if post.hidden_at is not None:
        raise Conflict(_("Dit is al verborgen, door jou of een collega."))
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    post.hidden_at, post.hidden_by_id, post.hidden_reason = now, by_id, reason.strip()
    _settle(session, post_id, by_id, now)
    events.record(
        session, "initiative.post_hidden", post.initiative_id, actor=actor, now=now, reason=reason.strip(), post=post_id
    )
    session.flush()
    email = email_of(session, post.author_id)
    if email:
        initiative = _initiative(session, post.initiative_id)
        outbox.queue(
            session,
            "question_hidden",
            to=email,
            event=f"post-hidden:{post_id}",
            now=now,
            title=initiative.title,
            body=post.body,
            is_answer=post.question_id is not None,
            reason=reason.strip(),
        )


def keep(session: Session, post_id: int, *, by_id: int, actor: Actor, now: dt.datetime) -> None:
    """The desk looked at what was reported and lets it stand."""
    post = _lock(session, post_id)
    if _settle(session, post_id, by_id, now):
        events.record(session, "initiative.post_kept", post.initiative_id, actor=actor, now=now, post=post_id)


def switch(session: Session, initiative_id: int, *, is_on: bool, actor: Actor, now: dt.datetime) -> None:
    """Open or close the questions of an initiative. What was asked stays. Doing so twice changes nothing."""
    initiative = lock(session, initiative_id)
    if initiative.has_questions != is_on:
        initiative.has_questions = is_on
        kind = "initiative.questions_opened" if is_on else "initiative.questions_closed"
        events.record(session, kind, initiative_id, actor=actor, now=now)


def _settle(session: Session, post_id: int, by_id: int, now: dt.datetime) -> int:
    is_open = (Report.post_id == post_id, Report.settled_at.is_(None))
    result = session.execute(update(Report).where(*is_open).values(settled_at=now, settled_by_id=by_id))
    return int(getattr(result, "rowcount", 0))


def _add(
    session: Session,
    initiative_id: int,
    question_id: int | None,
    voice: Voice,
    body: str,
    *,
    author_id: int,
    now: dt.datetime,
) -> Post:
    post = Post(
        initiative_id=initiative_id,
        question_id=question_id,
        voice=voice.value,
        author_id=author_id,
        body=body,
        posted_at=now,
    )
    session.add(post)
    session.flush()
    return post


def _initiative(session: Session, initiative_id: int) -> queries.Asked:
    found = queries.asked(session, initiative_id)
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    return found


def _lock(session: Session, post_id: int) -> Post:
    post = session.get(Post, post_id, with_for_update=True, populate_existing=True) if 0 < post_id < 2**63 else None
    if post is None:
        raise NotFound(_("Deze vraag bestaat niet (meer)."))
    return post
