# SPDX-License-Identifier: EUPL-1.2
"""The questions of the rules check and the advices behind their answers, as the coordinator edits them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.rulebook.states import AdviceKind, Answer


class RuleQuestion(Base):
    """One plain question. Answers are kept by its key, which never changes.

    ``version`` counts the edits, so that the second of two coordinators who edit at once is told.
    """

    __tablename__ = "rule_questions"
    __table_args__ = (
        CheckConstraint("key ~ '^[a-z][a-z0-9_]{0,59}$'", name="key_form"),
        CheckConstraint("length(text) BETWEEN 1 AND 200", name="text_length"),
        CheckConstraint("version > 0", name="version_positive"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int]
    text: Mapped[str]
    help: Mapped[str] = mapped_column(server_default="")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    version: Mapped[int] = mapped_column(server_default="1")


class RuleAdvice(Base):
    """What one answer to one question asks: a permit, a notification, an agreement, or just a tip."""

    __tablename__ = "rule_advices"
    __table_args__ = (
        CheckConstraint(f"answer IN {in_list(Answer)}", name="answer_known"),
        CheckConstraint(f"kind IN {in_list(AdviceKind)}", name="kind_known"),
        CheckConstraint("lead_days BETWEEN 0 AND 730", name="lead_days_range"),
        CheckConstraint("length(title) BETWEEN 1 AND 120", name="title_length"),
        CheckConstraint("version > 0", name="version_positive"),
        Index(None, "question_id", "position"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("rule_questions.id"))
    answer: Mapped[str]
    position: Mapped[int]
    kind: Mapped[str]
    title: Mapped[str]
    explanation: Mapped[str]
    contact: Mapped[str] = mapped_column(server_default="")
    legal_basis: Mapped[str] = mapped_column(server_default="")
    lead_days: Mapped[int] = mapped_column(server_default="0")
    cost_hint: Mapped[str] = mapped_column(server_default="")
    checklist_text: Mapped[str] = mapped_column(server_default="")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    version: Mapped[int] = mapped_column(server_default="1")
