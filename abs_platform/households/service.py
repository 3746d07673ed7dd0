# SPDX-License-Identifier: EUPL-1.2
"""Importing addresses: all of a file or nothing; what is gone is ended, never deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.database import driver_connection
from abs_platform.errors import InvalidInput, NotFound
from abs_platform.households.address_files import BagFile, KeyFile, Rejection
from abs_platform.households.csv_files import UnreadableFile
from abs_platform.households.merging import Merged, Rejected, Staging
from abs_platform.households.models import AddressImport, Household
from abs_platform.households.states import SkipReason, Variant

MAX_REJECTIONS_KEPT = 1_000
MAX_REJECTIONS_IN_ERROR = 20
ADDRESSES_LOCK = 4_107_607


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did, or (in an error) found.

    ``new`` includes ``back``: the addresses that had ended and are in the file again. All rejected lines are
    counted, the first thousand are kept. ``bag_edition`` is a text, ``key_edition`` the year of the CBS key.
    ``living``: how many addresses there were before.
    """

    variant: Variant
    bag_edition: str
    key_edition: int
    bag_sha256: str
    key_sha256: str
    skipped: Mapping[SkipReason, int]
    rejected: int
    rejections: tuple[Rejection, ...]
    new: int = 0
    back: int = 0
    changed: int = 0
    gone: int = 0
    unchanged: int = 0
    living: int = 0
    warnings: tuple[str, ...] = field(default=())

    @property
    def changed_nothing(self) -> bool:
        """Whether every address was already as the file has it."""
        return not (self.new or self.changed or self.gone)

    def summary(self) -> str:
        """The report in words, for a terminal."""
        reasons = ", ".join(f"{reason.label} {_number(count)}" for reason, count in self.skipped.items())
        back = f" (waarvan terug {_number(self.back)})" if self.back else ""
        new, changed, gone, same = map(_number, (self.new, self.changed, self.gone, self.unchanged))
        return "\n".join(
            [
                f"BAG-bestand, {self.variant.label}: editie {self.bag_edition}, sha256 {self.bag_sha256}",
                f"CBS-sleutel: editie {self.key_edition}, sha256 {self.key_sha256}",
                f"nieuw {new}{back}, veranderd {changed}, verdwenen {gone}, gelijk {same}",
                f"overgeslagen {_number(sum(self.skipped.values()))}: {reasons}",
                f"afgekeurd {_number(self.rejected)}",
                *_rejection_lines(self, MAX_REJECTIONS_KEPT),
                *self.warnings,
            ]
        )


class ImportRejected(InvalidInput):
    """Lines of the file cannot be used, so none of it was applied."""

    def __init__(self, message: str, report: ImportReport) -> None:
        super().__init__(message)
        self.report = report


class TooManyGone(InvalidInput):
    """The file would end more addresses than is believable, so none of it was applied."""

    def __init__(self, message: str, report: ImportReport) -> None:
        super().__init__(message)
        self.report = report


def hold_addresses_still(session: Session) -> None:
    """Keep imports out until this transaction ends. Locks: the addresses (shared); waits for a running import."""
    session.execute(select(func.pg_advisory_xact_lock_shared(ADDRESSES_LOCK)))


def lock_household(session: Session, household_id: int) -> Household:
    """One address, locked. Raises: NotFound."""
    household = session.get(Household, household_id, with_for_update=True, populate_existing=True)
    if household is None:
        raise NotFound("Dit adres bestaat niet.")
    return household


def import_addresses(
    session: Session,
    bag_path: Path,
    key_path: Path,
    *,
    municipality_name: str,
    municipality_code: str,
    max_gone_percent: int,
    allow_gone: bool = False,
    skip_rejected: bool = False,
    bag_edition: str | None = None,
    actor: Actor,
    now: dt.datetime,
    on_progress: Callable[[int], None] | None = None,
    on_key_progress: Callable[[int], None] | None = None,
    on_locked: Callable[[], None] | None = None,
    reason: str | None = None,
    note: Mapping[str, int] | None = None,
) -> ImportReport:
    """Make the households what a BAG file and a CBS key file say they are.

    1. A line that cannot be used stops everything, unless ``skip_rejected``: then it changes nothing by itself,
       and its address is not ended. If even the object of such a line cannot be read, no address at all is ended.
    2. What is not in the file is ended today. More than ``max_gone_percent`` of the living addresses stops
       everything, unless ``allow_gone``.
    3. What the coordinator added is not ended, and becomes the BAG's once that has the address: the same household.
       What she ended stays ended.
    4. What is right already is not written. An import that changes nothing is remembered only if its files were
       not the last ones: a second run of the same files writes nothing.

    ``bag_edition`` is the day of the file's last change if not given. ``on_progress`` gets the lines of the BAG
    file that were read since the last call, ``on_key_progress`` those of the key. ``on_locked`` is called once nobody
    else can change addresses and nothing is written yet; what it raises stops the import. ``reason`` and
    ``note`` (which work asked for it) stand in the event. A dry run is this, rolled back by the caller.

    Locks: the addresses (exclusive), after reading.
    Raises: UnreadableFile with file, line and column; ImportRejected; TooManyGone.
    """
    session.flush()
    key = KeyFile(key_path, municipality_code, on_key_progress)
    bag = BagFile(bag_path, municipality_name, on_progress)
    staging = Staging(driver_connection(session))
    _load(staging, bag, key, municipality_name, municipality_code)
    session.execute(select(func.pg_advisory_xact_lock(ADDRESSES_LOCK)))
    if on_locked is not None:
        on_locked()
    staging.place(postcode_column=bag.column("postcode"))
    rejected = staging.rejected(MAX_REJECTIONS_KEPT)
    report = _report(bag, key, bag_edition, rejected)
    if rejected.count and not skip_rejected:
        raise ImportRejected(_rejected_sentence(bag_path, report), report)
    living, gone = staging.find_gone()
    if rejected.unknown_objects:
        gone = 0
    if gone * 100 > living * max_gone_percent and not allow_gone:
        raise TooManyGone(
            f"{bag_path}: {gone} van de {living} adressen staan niet in dit bestand. Dat is meer dan "
            f"{max_gone_percent}%, dus er is niets veranderd. Klopt het toch, ga dan door met --allow-gone.",
            replace(report, gone=gone),
        )
    if gone:
        staging.end_gone(local_date(now))
    merged = staging.merge()
    report = _with_results(report, merged, gone, living)
    _remember(session, bag_path, report, actor=actor, now=now, reason=reason, **(note or {}))
    return report


def _load(staging: Staging, bag: BagFile, key: KeyFile, municipality_name: str, municipality_code: str) -> None:
    if not staging.load_key(key.rows()):
        raise UnreadableFile(f"{key.csv.path}: er staat geen adres van {municipality_name} ({municipality_code}) in.")
    if conflict := staging.key_conflict():
        raise UnreadableFile(
            f"{key.where(conflict[1])}: dit adres staat ook op regel {conflict[0]}, in een andere buurt."
        )
    if not staging.load_addresses(bag.addresses()):
        raise UnreadableFile(f"{bag.csv.path}: er staat geen huishouden van {municipality_name} in.")
    staging.reject_duplicates(object_column=bag.column("object_id"), number_column=bag.column("huisnummer"))


def _report(bag: BagFile, key: KeyFile, bag_edition: str | None, rejected: Rejected) -> ImportReport:
    if bag_edition is None:
        modified_at = dt.datetime.fromtimestamp(bag.csv.path.stat().st_mtime, dt.UTC)
        bag_edition = local_date(modified_at).isoformat()
    return ImportReport(
        variant=bag.variant,
        bag_edition=bag_edition,
        key_edition=key.edition,
        bag_sha256=bag.csv.sha256,
        key_sha256=key.csv.sha256,
        skipped=dict(bag.skipped),
        rejected=rejected.count,
        rejections=rejected.first,
        warnings=_warnings(bag, rejected),
    )


def _warnings(bag: BagFile, rejected: Rejected) -> tuple[str, ...]:
    warnings = []
    if bag.variant == Variant.SHORT:
        warnings.append(
            "Dit is de korte variant: daarin staat niet wat een woning is en wat in gebruik is. "
            "Elk hoofdadres telt nu als huishouden, winkels en kantoren ook."
        )
    warnings += [
        f"Status '{status}' is onbekend en telt als niet in gebruik: {count} regels."
        for status, count in bag.unknown_statuses.most_common()
    ]
    if rejected.unknown_objects:
        warnings.append(
            f"Van {rejected.unknown_objects} afgekeurde regels is het object niet te lezen. "
            "Daarom is geen enkel adres als verdwenen geteld."
        )
    return tuple(warnings)


def _rejected_sentence(bag_path: Path, report: ImportReport) -> str:
    what = "1 regel is" if report.rejected == 1 else f"{_number(report.rejected)} regels zijn"
    lines = _rejection_lines(report, MAX_REJECTIONS_IN_ERROR)
    advice = "Verbeter het bestand, of laat deze regels weg met --skip-rejected."
    return "\n".join([f"{bag_path}: {what} niet te gebruiken, dus er is niets veranderd. {advice}", *lines])


def _rejection_lines(report: ImportReport, limit: int) -> list[str]:
    lines = [f"  {rejection}" for rejection in report.rejections[:limit]]
    if others := report.rejected - len(lines):
        lines.append(f"  en nog {_number(others)}.")
    return lines


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")


def _with_results(report: ImportReport, merged: Merged, gone: int, living: int) -> ImportReport:
    return replace(
        report,
        new=merged.new + merged.back,
        back=merged.back,
        changed=merged.changed,
        unchanged=merged.unchanged,
        gone=gone,
        living=living,
        warnings=(*report.warnings, *merged.warnings()),
    )


def _remember(
    session: Session, bag_path: Path, report: ImportReport, *, actor: Actor, now: dt.datetime, **note: Any
) -> None:
    """Store what was imported, unless nothing changed and these were also the files of the last import."""
    last = session.scalar(select(AddressImport).order_by(AddressImport.id.desc()).limit(1))
    files = (report.bag_sha256, report.key_sha256)
    if report.changed_nothing and last is not None and files == (last.bag_sha256, last.key_sha256):
        return
    session.expire_all()
    row = AddressImport(
        imported_at=now,
        actor=str(actor),
        bag_file=bag_path.name,
        bag_edition=report.bag_edition,
        bag_sha256=report.bag_sha256,
        key_edition=report.key_edition,
        key_sha256=report.key_sha256,
        new_count=report.new,
        changed_count=report.changed,
        gone_count=report.gone,
        unchanged_count=report.unchanged,
        rejected_count=report.rejected,
        skipped_count=sum(report.skipped.values()),
    )
    session.add(row)
    session.flush()
    events.record(
        session,
        "addresses.imported",
        row.id,
        actor=actor,
        now=now,
        **note,
        new=report.new,
        changed=report.changed,
        gone=report.gone,
        rejected=report.rejected,
    )
