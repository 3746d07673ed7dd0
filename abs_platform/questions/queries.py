# SPDX-License-Identifier: EUPL-1.2
"""Reads of questions with their answers, and of what was reported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session, aliased

from abs_platform.accounts.models import Account
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState
from abs_platform.paging import Page, page_of
from abs_platform.questions.models import Post, Report
from abs_platform.questions.states import PAGE_SIZE, Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody said to a question. Who deleted the account has no name."""

    id: int
    voice: Voice
    name: str
    body: str
    posted_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Answer):
    """A question with its answers, the oldest first."""

    answers: list[Answer] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPost:
    """A post as the desk looks at it, with what was said about it and what was asked when it is an answer."""

    id: int
    initiative_id: int
    title: str
    voice: Voice
    name: str
    body: str
    posted_at: dt.datetime
    question: str
    is_hidden: bool
    hidden_reason: str
    reasons: list[str]
    reported_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The initiative that is asked about."""

    id: int
    title: str
    state: InitiativeState
    has_questions: bool


def asked(session: Session, initiative_id: int) -> Asked | None:
    """The public initiative that is asked about, or None."""
    row = session.execute(
        select(Initiative.id, Initiative.title, Initiative.state, Initiative.has_questions).where(
            Initiative.id == initiative_id, Initiative.published_at.is_not(None)
        )
    ).first()
    if row is None:
        return None
    return Asked(id=row.id, title=row.title, state=InitiativeState(row.state), has_questions=row.has_questions)


# A resident's name is that of the account; of the organisers only those who want it there are named.
_ORGANISER = (
    select(Organiser.name)
    .where(
        Organiser.initiative_id == Post.initiative_id,
        Organiser.account_id == Post.author_id,
        Organiser.is_name_public,
        Organiser.forgotten_at.is_(None),
    )
    .limit(1)
    .scalar_subquery()
)
_NAME = func.coalesce(case((Post.voice == Voice.ORGANISER.value, _ORGANISER), else_=Account.name), "")
_POSTS: Select[*tuple[Any, ...]] = (
    select(Post, _NAME).join(Account, Account.id == Post.author_id).where(Post.hidden_at.is_(None))
)


def page(session: Session, initiative_id: int, number: int) -> Page[Question]:
    """A page of what stands under an initiative, the newest question first. Three queries."""
    asked = (Post.initiative_id == initiative_id, Post.question_id.is_(None), Post.hidden_at.is_(None))
    total = session.scalar(select(func.count()).select_from(Post).where(*asked)) or 0
    window = page_of(total, number, PAGE_SIZE)
    shown = _POSTS.where(*asked).order_by(Post.id.desc()).limit(PAGE_SIZE).offset(window.offset)
    items = _with_answers(session, shown)
    return Page(items=items, number=window.number, pages=window.pages, total=total)


def unanswered_first(session: Session, initiative_id: int) -> list[Question]:
    """All questions as their organisers see them: what waits for an answer first, the oldest of those on top."""
    everything = _with_answers(
        session,
        _POSTS.where(Post.initiative_id == initiative_id, Post.question_id.is_(None))
        .order_by(Post.id.desc())
        .limit(200),
    )
    waiting = [question for question in reversed(everything) if not question.answers]
    return waiting + [question for question in everything if question.answers]


def one(session: Session, question_id: int) -> Question | None:
    """One question that stands on the page, or None."""
    found = _with_answers(session, _POSTS.where(Post.id == question_id, Post.question_id.is_(None)))
    return found[0] if found else None


def count_unanswered(session: Session, initiative_id: int) -> int:
    """How many questions have no answer yet."""
    reply = aliased(Post)
    has_answer = select(reply.id).where(reply.question_id == Post.id, reply.hidden_at.is_(None)).exists()
    waits = (Post.initiative_id == initiative_id, Post.question_id.is_(None), Post.hidden_at.is_(None), ~has_answer)
    return session.scalar(select(func.count()).select_from(Post).where(*waits)) or 0


def find(session: Session, post_id: int) -> Post | None:
    """A post, hidden or not, or None."""
    return session.get(Post, post_id) if 0 < post_id < 2**63 else None


def reported(session: Session, desk_area_ids: Iterable[int]) -> list[ReportedPost]:
    """What was reported at these desks and not looked at yet, the oldest first. One query."""
    return _reported(
        session, Initiative.desk_area_id.in_(list(desk_area_ids)), Post.hidden_at.is_(None), Report.id.is_not(None)
    )


def reported_post(session: Session, post_id: int) -> ReportedPost | None:
    """One post as the desk looks at it, reported or not, or None."""
    found = _reported(session, Post.id == post_id) if 0 < post_id < 2**63 else []
    return found[0] if found else None


def _reported(session: Session, *where: ColumnElement[bool]) -> list[ReportedPost]:
    question = aliased(Post)
    first = func.min(Report.reported_at)
    rows = session.execute(
        select(
            Post,
            Initiative.title,
            Account.name,
            question.body,
            func.array_remove(func.array_agg(Report.reason), None),
            first,
        )
        .join(Initiative, Initiative.id == Post.initiative_id)
        .join(Account, Account.id == Post.author_id)
        .outerjoin(question, question.id == Post.question_id)
        .outerjoin(Report, (Report.post_id == Post.id) & Report.settled_at.is_(None))
        .where(*where)
        .group_by(Post.id, Initiative.title, Account.name, question.body)
        .order_by(first.nulls_last(), Post.id)
    )
    return [
        ReportedPost(
            id=post.id,
            initiative_id=post.initiative_id,
            title=title,
            voice=Voice(post.voice),
            name=name,
            body=post.body,
            posted_at=post.posted_at,
            question=asked or "",
            is_hidden=post.hidden_at is not None,
            hidden_reason=post.hidden_reason or "",
            reasons=list(reasons),
            reported_at=reported_at,
        )
        for post, title, name, asked, reasons, reported_at in rows
    ]


def _with_answers(session: Session, chosen: Select[*tuple[Any, ...]]) -> list[Question]:
    questions = {
        post.id: Question(
            id=post.id, voice=Voice(post.voice), name=name, body=post.body, posted_at=post.posted_at, answers=[]
        )
        for post, name in session.execute(chosen)
    }
    if questions:
        for post, name in session.execute(_POSTS.where(Post.question_id.in_(questions)).order_by(Post.id)):
            questions[post.question_id].answers.append(
                Answer(id=post.id, voice=Voice(post.voice), name=name, body=post.body, posted_at=post.posted_at)
            )
    return list(questions.values())
