# SPDX-License-Identifier: EUPL-1.2
"""Which numbers were set, by whom, when and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.rule_settings.models import RuleChange
from abs_platform.rule_settings.states import BY_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one number. ``who`` is "" when it was a command, or the name is not known any more."""

    name: str
    old_value: int
    value: int
    changed_at: dt.datetime
    who: str
    reason: str


def values_set(session: Session) -> dict[str, int]:
    """The newest value of each number that was ever set and may be set."""
    query = select(RuleChange.name, RuleChange.value).ext(distinct_on(RuleChange.name))
    rows = session.execute(query.order_by(RuleChange.name, RuleChange.id.desc()))
    return {name: value for name, value in rows if name in BY_NAME and BY_NAME[name].may_be_set}


def newest_changes(session: Session) -> dict[str, Change]:
    """The newest change of each number. Two queries."""
    query = select(RuleChange).ext(distinct_on(RuleChange.name)).order_by(RuleChange.name, RuleChange.id.desc())
    return {change.name: change for change in _named(session, list(session.scalars(query)))}


def history(session: Session, name: str) -> list[Change]:
    """All changes of one number, the newest first. Two queries."""
    query = select(RuleChange).where(RuleChange.name == name).order_by(RuleChange.id.desc())
    return _named(session, list(session.scalars(query)))


def _named(session: Session, rows: list[RuleChange]) -> list[Change]:
    names = names_of(session, {row.account_id for row in rows if row.account_id is not None})
    return [
        Change(
            name=row.name,
            old_value=row.old_value,
            value=row.value,
            changed_at=row.changed_at,
            who=names.get(row.account_id or 0, ""),
            reason=row.reason,
        )
        for row in rows
    ]
