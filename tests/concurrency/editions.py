# SPDX-License-Identifier: EUPL-1.2
"""Two editions of one address file: some addresses are only in the first, some only in the second, some differ."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.demo.addresses import write_address_files
from abs_platform.households.service import ImportReport, import_addresses
from abs_platform.municipality import Municipality
from tests.factories import TEST_ACTOR

EVERY = 40


@dataclass(frozen=True)
class Editions:
    """Both editions, and the key file that goes with them."""

    first: Path
    second: Path
    key: Path
    town: Municipality

    @classmethod
    def write(cls, folder: Path, town: Municipality, households: int) -> Editions:
        """Write them for so many households."""
        whole, key = folder / "bag.csv", folder / "key.csv"
        write_address_files(
            town.demo_dir / "streets.toml",
            whole,
            key,
            municipality=town.name,
            municipality_code=town.code,
            households=households,
        )
        header, *lines = whole.read_text(encoding="utf-8").splitlines(keepends=True)
        numbered = list(enumerate(lines))
        first = [line for number, line in numbered if number % EVERY != 1]
        second = [f"Nieuwe {line}" if number % EVERY == 3 else line for number, line in numbered if number % EVERY != 2]
        for name, edition in (("first.csv", first), ("second.csv", second)):
            (folder / name).write_text("".join([header, *edition]), encoding="utf-8")
        return cls(folder / "first.csv", folder / "second.csv", key, town)

    def apply(self, session: Session, edition: Path, now: dt.datetime) -> ImportReport:
        """Import one of them."""
        return apply_edition(session, edition, self.key, self.town, now)


def apply_edition(session: Session, bag: Path, key: Path, town: Municipality, now: dt.datetime) -> ImportReport:
    """Import an edition of the addresses of a town."""
    return import_addresses(
        session,
        bag,
        key,
        municipality_name=town.name,
        municipality_code=town.code,
        max_gone_percent=10,
        actor=TEST_ACTOR,
        now=now,
    )


def living(session: Session) -> set[int]:
    """The households that live, as committed now."""
    session.rollback()
    return set(session.scalars(text("SELECT id FROM households WHERE ended_on IS NULL")))


def households_of_batch(session: Session, batch_id: int | None) -> set[int]:
    """The households that got a voucher in one batch."""
    session.rollback()
    query = text("SELECT household_id FROM vouchers WHERE batch_id = :batch_id AND revoked_at IS NULL")
    return set(session.scalars(query, {"batch_id": batch_id}))
