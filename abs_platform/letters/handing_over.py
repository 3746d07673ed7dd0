# SPDX-License-Identifier: EUPL-1.2
"""Letters leave the building: a run is handed over only when everything adds up, and its files are forgotten later.

"Handed over" only when every file is there, their counts add up to the run's, that is the number of vouchers of the
batch that lived when the run began, and the file for the print house has as many lines. A round counts as handed over
when all its batches are. The sealed copies hold codes: 14 days after handing over or withdrawing they are wiped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.letters.desk_queries import living_at
from abs_platform.letters.models import LetterFile, LetterRun
from abs_platform.letters.queries import FileRow, RunRow, run_row
from abs_platform.letters.service import lock_run
from abs_platform.letters.states import TRANSITIONS, FileKind, RunState
from abs_platform.lives import check_move

KEPT_DAYS = 14


def obstacles(session: Session, run: RunRow, missing: Collection[str] = ()) -> list[str]:
    """Why a run cannot be handed over now, in sentences; none when everything adds up.

    ``missing``: the keys of its files that the file store does not have.
    """
    if run.state == RunState.HANDED_OVER:
        return [_("Deze brieven zijn al overgedragen.")]
    if run.state == RunState.WITHDRAWN:
        return [_("Deze brieven zijn ingetrokken. Maak nieuwe.")]
    found = [] if run.state == RunState.MADE else [_("Nog niet alle brieven zijn gemaakt.")]
    letters = [file for file in run.files if file.kind == FileKind.LETTERS]
    addresses = [file for file in run.files if file.kind == FileKind.ADDRESSES]
    found += _count_obstacles(run, letters, addresses)
    living = living_at(session, run.batch_id, run.began_at)
    if living != run.letter_count:
        found.append(
            _(
                "Deze partij telde %(living)s vouchers toen het maken begon, en er horen %(letters)s brieven te zijn.",
                living=living,
                letters=run.letter_count,
            )
        )
    lost = [file for file in run.files if file.store_key is not None and file.store_key in missing]
    if lost:
        found.append(
            ngettext(
                "%(num)s bestand is niet meer te vinden. Maak de brieven opnieuw.",
                "%(num)s bestanden zijn niet meer te vinden. Maak de brieven opnieuw.",
                len(lost),
            )
        )
    return found


def _count_obstacles(run: RunRow, letters: Sequence[FileRow], addresses: Sequence[FileRow]) -> list[str]:
    found = []
    for files, what in ((letters, _("brieven")), (addresses, _("adressen en codes"))):
        if not files:
            found.append(_("Het bestand met %(what)s is er niet.", what=what))
        elif [file.number for file in files] != list(range(1, len(files) + 1)):
            found.append(_("Van de bestanden met %(what)s ontbreekt er een.", what=what))
    printed = sum(file.letter_count for file in letters)
    if letters and printed != run.letter_count:
        found.append(
            _(
                "De bestanden tellen samen %(printed)s brieven. Het moeten er %(letters)s zijn.",
                printed=printed,
                letters=run.letter_count,
            )
        )
    lines = sum(file.letter_count for file in addresses)
    if addresses and lines != run.letter_count:
        found.append(
            _(
                "Het bestand voor de drukker telt %(lines)s regels. Het moeten er %(letters)s zijn.",
                lines=lines,
                letters=run.letter_count,
            )
        )
    return found


def hand_over(
    session: Session,
    run_id: int,
    *,
    seen_letters: int,
    seen_files: int,
    missing: Collection[str] = (),
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Say that the print house has the letters. From then on the run is what was sent, and stays.

    ``seen_letters``, ``seen_files``: the counts on the page of who says so. Locks: the run.
    Raises: NotFound; Conflict when something does not add up, or changed since that page.
    """
    run = lock_run(session, run_id)
    row = run_row(session, run_id)
    if row is None:
        raise NotFound(_("Deze brieven zijn er niet."))
    if reasons := obstacles(session, row, missing):
        raise Conflict(" ".join(reasons))
    if (seen_letters, seen_files) != (row.letter_count, len(row.files)):
        raise Conflict(_("De aantallen zijn intussen veranderd. Kijk ze na en bevestig opnieuw."))
    _move(run, RunState.HANDED_OVER)
    run.handed_over_at = now
    session.flush()
    events.record(
        session,
        "letters.handed_over",
        run_id,
        actor=actor,
        now=now,
        round=run.round_id,
        batch=run.batch_id,
        letters=row.letter_count,
        files=len(row.files),
    )


def withdraw(session: Session, run_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Take a run back, so that its batch may get another. Whoever makes its files notices and stops.

    Locks: the run. Raises: NotFound; InvalidInput without a reason; InvalidTransition once it was handed over.
    """
    if not reason.strip():
        raise InvalidInput(_("Schrijf in een korte zin waarom."))
    run = lock_run(session, run_id)
    _move(run, RunState.WITHDRAWN)
    run.withdrawn_at = now
    session.flush()
    events.record(
        session,
        "letters.withdrawn",
        run_id,
        actor=actor,
        now=now,
        reason=reason.strip(),
        round=run.round_id,
        batch=run.batch_id,
        letters=run.letter_count,
    )


def note_all_downloaded(session: Session, run: RunRow, *, actor: Actor, now: dt.datetime) -> None:
    """Write down that somebody takes all files of a run at once: they hold codes."""
    events.record(
        session,
        "letters.all_downloaded",
        run.id,
        actor=actor,
        now=now,
        letters=run.letter_count,
        files=len(run.files),
    )


def note_download(session: Session, run_id: int, file: FileRow, *, actor: Actor, now: dt.datetime) -> None:
    """Write down that somebody takes a file of a run: it holds codes."""
    events.record(
        session,
        "letters.file_downloaded",
        run_id,
        actor=actor,
        now=now,
        file=file.kind.value,
        number=file.number,
        letters=file.letter_count,
        sha256=file.sha256,
    )


def files_to_forget(session: Session, now: dt.datetime) -> dict[int, list[str]]:
    """By run, the keys of the sealed copies that are no longer needed."""
    before = now - dt.timedelta(days=KEPT_DAYS)
    rows = session.execute(
        select(LetterFile.run_id, LetterFile.store_key)
        .join(LetterRun, LetterRun.id == LetterFile.run_id)
        .where(
            LetterFile.store_key.is_not(None),
            or_(LetterRun.handed_over_at <= before, LetterRun.withdrawn_at <= before),
        )
        .order_by(LetterFile.run_id, LetterFile.kind, LetterFile.number)
    )
    found: dict[int, list[str]] = {}
    for run_id, key in rows:
        found.setdefault(run_id, []).append(str(key))
    return found


def kept_copies(session: Session) -> set[str]:
    """The keys of all sealed copies that a row speaks of; any other was left by a press that was killed or refused."""
    return {str(key) for key in session.scalars(select(LetterFile.store_key).where(LetterFile.store_key.is_not(None)))}


def forget_files(session: Session, run_id: int, keys: Collection[str], *, actor: Actor, now: dt.datetime) -> int:
    """Say that these sealed copies are gone; who calls this deleted them first. Their counts and SHA-256 stay."""
    gone = session.scalars(
        update(LetterFile)
        .where(LetterFile.run_id == run_id, LetterFile.store_key.in_(keys))
        .values(store_key=None)
        .returning(LetterFile.number)
    ).all()
    if gone:
        events.record(session, "letters.files_forgotten", run_id, actor=actor, now=now, files=len(gone))
    return len(gone)


def _move(run: LetterRun, target: RunState) -> None:
    check_move(TRANSITIONS, RunState(run.state), target, _("deze partij brieven"))
    run.state = target.value
