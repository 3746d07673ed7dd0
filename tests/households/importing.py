# SPDX-License-Identifier: EUPL-1.2
"""Running an import in a test, and looking at all that it may have written."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.actors import Actor
from abs_platform.households.models import Household
from abs_platform.households.service import ImportReport, import_addresses

NOW = dt.datetime(2026, 11, 22, 23, 30, tzinfo=dt.UTC)


def run(session: Session, bag: Path, key: Path, **options: Any) -> ImportReport:
    return import_addresses(
        session,
        bag,
        key,
        **{
            "municipality_name": "Almelo",
            "municipality_code": "GM0141",
            "max_gone_percent": 10,
            "actor": Actor("command", "test"),
            "now": NOW,
        }
        | options,
    )


def counts(report: ImportReport) -> dict[str, int]:
    names = ("new", "back", "changed", "gone", "unchanged", "rejected")
    return {name: value for name in names if (value := getattr(report, name))}


def everything(session: Session) -> list[Any]:
    """All that an import may write, with the physical place of each row, so that a rewritten row shows too."""
    session.flush()
    tables = ("households", "address_imports", "events")
    queries = (f"SELECT '{table}', t.ctid::text, t::text FROM {table} t" for table in tables)
    return list(session.execute(text(" UNION ALL ".join(queries) + " ORDER BY 1, 2")))


def ended(session: Session) -> dict[str, dt.date | None]:
    return dict(session.execute(select(Household.bag_object_id, Household.ended_on)).all())
