# SPDX-License-Identifier: EUPL-1.2
"""Address files that the coordinator sends: looked at first, then applied exactly as they were looked at, or not.

1. The files wait in the file store (households.sent_files).
2. Looking (``check``) is an import that is rolled back. Its report stands in the result of its order.
3. Applying (``apply``) takes the same bytes. It refuses when any address or area changed since the look, and when what
   it did is not what the report said; then nothing of it stays. All or nothing: who dies half-way left nothing, and an
   order that is run again after its import was committed does not do it again.
4. Lines that cannot be used, and more gone addresses than is believable, each need a tick, the last a reason.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.events import Event
from abs_platform.households.csv_files import UnreadableFile
from abs_platform.households.sent_files import Files, SentFile, is_too_old
from abs_platform.households.service import ImportRejected, ImportReport, TooManyGone, import_addresses
from abs_platform.households.states import SkipReason
from abs_platform.work import queries as work
from abs_platform.work.queries import WorkOrderView
from abs_platform.work.service import order
from abs_platform.work.states import WorkKind, WorkState

MAX_REJECTIONS_SHOWN = 200
IMPORT_KEY = "addresses"

# The areas too: another list of neighbourhoods puts addresses elsewhere.
_FINGERPRINT = text("""
    SELECT concat_ws('-',
        (SELECT count(*) FROM households),
        (SELECT sum(hashtextextended(ROW(h.id, h.bag_object_id, h.bag_address_id, h.object_type, h.street,
                    h.house_number, h.house_letter, h.house_addition, h.postcode, h.city, h.neighbourhood_id,
                    h.ended_on, h.added_by_hand_at IS NULL, h.ended_by_hand_at IS NULL)::text, 0)::numeric)
         FROM households h),
        (SELECT sum(hashtextextended(ROW(a.id, a.code, a.is_current)::text, 0)::numeric) FROM areas a))
""")
_BEFORE = text("""
    SELECT d.name, count(h.id) FROM households h JOIN areas a ON a.id = h.neighbourhood_id
    JOIN areas d ON d.id = a.parent_id WHERE h.ended_on IS NULL GROUP BY 1
""")
_AFTER = text("""
    SELECT d.name, count(*) FILTER (WHERE h.ended_on IS NULL), count(*) FILTER (WHERE h.id > :last_id),
           count(g.id)
    FROM households h JOIN areas a ON a.id = h.neighbourhood_id JOIN areas d ON d.id = a.parent_id
    LEFT JOIN gone_households g ON g.id = h.id GROUP BY 1
""")
_LAST_ID = text("SELECT coalesce(max(id), 0) FROM households")


@dataclass(frozen=True, slots=True, kw_only=True)
class Municipality:
    """Whose addresses these are, and how many of them may go without a reason."""

    name: str
    code: str
    max_gone_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One reading of two files: by whom, for which municipality. ``on_progress`` gets the lines since the last time."""

    files: Files
    town: Municipality
    on_progress: Callable[[int], None]
    actor: Actor
    now: dt.datetime


def order_check(
    session: Session, bag: SentFile, key: SentFile, edition: str, *, account_id: int, now: dt.datetime
) -> int:
    """Ask for a look at two files; the number of the order, which is the living one when they are looked at already."""
    params = {
        "bag_name": bag.name,
        "bag_sha256": bag.sha256,
        "key_name": key.name,
        "key_sha256": key.sha256,
        "edition": edition,
        "lines": bag.lines + key.lines,
    }
    asked = f"{bag.sha256}:{key.sha256}:{edition}"
    return order(session, WorkKind.CHECK_ADDRESSES, key=asked, params=params, account_id=account_id, now=now).id


def order_import(
    session: Session,
    check_id: int,
    *,
    skip_rejected: bool,
    allow_gone: bool,
    reason: str,
    account_id: int,
    now: dt.datetime,
) -> int:
    """Ask to apply what was looked at. Raises: NotFound; InvalidInput without a needed tick; Conflict."""
    check = find_check(session, check_id)
    if check.state is not WorkState.DONE:
        raise Conflict(_("Deze bestanden zijn nog niet nagekeken."))
    report, problems = check.result["report"], {}
    if report["rejected"] and not skip_rejected:
        problems["skip_rejected"] = _("Zet een vinkje: de afgekeurde regels doen niet mee.")
    if is_too_many_gone(report) and not allow_gone:
        problems["allow_gone"] = _("Zet een vinkje: er verdwijnen veel adressen.")
    if is_too_many_gone(report) and not reason.strip():
        problems["reason"] = _("Schrijf op waarom er zoveel adressen verdwijnen.")
    if problems:
        raise InvalidInput(" ".join(problems.values()), fields=problems)
    if was_applied(session, check_id):
        raise Conflict(_("Deze bestanden zijn al overgenomen."))
    if is_too_old(check, now):
        raise Conflict(_("Deze bestanden zijn te lang geleden nagekeken. Stuur ze nog een keer in."))
    if fingerprint(session) != check.result["fingerprint"]:
        raise Conflict(changed_since())
    params = {"check_id": check_id, "skip_rejected": skip_rejected, "allow_gone": allow_gone, "reason": reason.strip()}
    made = order(session, WorkKind.IMPORT_ADDRESSES, key=IMPORT_KEY, params=params, account_id=account_id, now=now)
    if made.params["check_id"] != check_id:
        raise Conflict(_("Er worden al andere bestanden overgenomen. Wacht tot dat klaar is."))
    return made.id


def find_check(session: Session, check_id: int) -> WorkOrderView:
    """The order that looked at two files. Raises: NotFound."""
    found = work.order_of(session, check_id)
    if found is None or found.kind is not WorkKind.CHECK_ADDRESSES:
        raise NotFound(_("Deze bestanden bestaan niet (meer)."))
    return found


def is_too_many_gone(report: dict[str, Any]) -> bool:
    """Whether more addresses go than is believable."""
    return bool(report["gone"] * 100 > report["living"] * report["max_gone_percent"])


def was_applied(session: Session, check_id: int) -> bool:
    """Whether an import of this look was done."""
    done = Event.details["check"].as_integer() == check_id
    return session.scalar(select(Event.id).where(Event.kind == "addresses.imported", done).limit(1)) is not None


def changed_since() -> str:
    """Why a report does not hold any more."""
    sentence: str = _(
        "Sinds het nakijken zijn er adressen of buurten veranderd. Er is niets overgenomen. "
        "Kijk de bestanden opnieuw na."
    )
    return sentence


def fingerprint(session: Session) -> str:
    """One text that differs as soon as any address or area does. The mark of returned post does not count."""
    return str(session.scalar(_FINGERPRINT))


def check(session: Session, params: dict[str, Any], run: Run) -> dict[str, Any]:
    """What applying these files would do. The caller rolls back. Returns the report, as it stands in the order."""
    seen: dict[str, Any] = {}

    def look() -> None:
        seen["fingerprint"] = fingerprint(session)
        seen["before"] = {row[0]: row[1] for row in session.execute(_BEFORE)}
        seen["last_id"] = session.scalar(_LAST_ID)

    report = _import(session, params, run, on_locked=look, allow_gone=True, skip_rejected=True)
    return {
        "report": as_data(report) | {"max_gone_percent": run.town.max_gone_percent},
        "districts": _districts(session, report, seen),
        "rejections": [[one.line, one.column, one.reason] for one in report.rejections[:MAX_REJECTIONS_SHOWN]],
        "fingerprint": seen["fingerprint"],
    }


def apply(session: Session, looked: WorkOrderView, order_id: int, params: dict[str, Any], run: Run) -> ImportReport:
    """Do what the report of a look said, and exactly that. Raises: Conflict; the caller rolls back."""

    def compare() -> None:
        if fingerprint(session) != looked.result["fingerprint"]:
            raise Conflict(changed_since())

    try:
        report = _import(
            session,
            looked.params,
            run,
            on_locked=compare,
            allow_gone=params["allow_gone"],
            skip_rejected=params["skip_rejected"],
            reason=params["reason"] or None,
            note={"order": order_id, "check": looked.id},
        )
    except (ImportRejected, TooManyGone) as error:
        raise Conflict(changed_since()) from error
    if any(looked.result["report"][name] != value for name, value in as_data(report).items()):
        raise Conflict(changed_since())
    return report


def _import(session: Session, params: dict[str, Any], run: Run, **options: Any) -> ImportReport:
    files, town = run.files, run.town
    try:
        return import_addresses(
            session,
            files.bag,
            files.key,
            municipality_name=town.name,
            municipality_code=town.code,
            max_gone_percent=town.max_gone_percent,
            bag_edition=params["edition"],
            on_progress=run.on_progress,
            on_key_progress=run.on_progress,
            actor=run.actor,
            now=run.now,
            **options,
        )
    except UnreadableFile as error:  # its sentence names the file where it lies on this machine
        message = error.message
        for path in (files.bag, files.key):
            message = message.replace(str(path), path.name)
        raise UnreadableFile(message) from error


def as_data(report: ImportReport) -> dict[str, Any]:
    """A report as plain data."""
    return {
        "variant": report.variant.value,
        "bag_edition": report.bag_edition,
        "key_edition": report.key_edition,
        "bag_sha256": report.bag_sha256,
        "key_sha256": report.key_sha256,
        "skipped": {reason.value: report.skipped.get(reason, 0) for reason in SkipReason},
        "rejected": report.rejected,
        "new": report.new - report.back,
        "back": report.back,
        "changed": report.changed,
        "gone": report.gone,
        "unchanged": report.unchanged,
        "living": report.living,
        "warnings": list(report.warnings),
    }


def _districts(session: Session, report: ImportReport, seen: dict[str, Any]) -> list[list[Any]]:
    """Of each district: name, addresses before, new, gone, and addresses after."""
    rows = session.execute(_AFTER, {"last_id": seen["last_id"]}).all()
    return [
        [name, seen["before"].get(name, 0), new, gone if report.gone else 0, after]
        for name, after, new, gone in sorted(rows)
    ]
