# SPDX-License-Identifier: EUPL-1.2
"""Beginning a run of letters: one batch of vouchers, one text, one list of choices, so that it can be made again.

A run prints the vouchers of ONE batch that were not revoked when it began: what is revoked later stays in its files,
and is not printed by the next run. A batch has one run that was not withdrawn.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.errors import Conflict, NotFound
from abs_platform.letters.choices import choices_by_neighbourhood
from abs_platform.letters.models import LetterFile, LetterRun, LetterText
from abs_platform.letters.printing import living_count, round_of_batch
from abs_platform.letters.queries import help_points
from abs_platform.letters.states import TRANSITIONS, FileKind, RunState
from abs_platform.lives import check_move
from abs_platform.rounds.service import lock_round

if TYPE_CHECKING:
    from abs_platform.vouchers.codes import CodeKeys

# A letter takes half a megabyte while its file is set, and all of the press stays under 500. Print houses take 1,000.
LETTERS_A_FILE = 300


def begin_run(
    session: Session, batch_id: int, *, text_id: int, keys: CodeKeys, actor: Actor, now: dt.datetime
) -> LetterRun:
    """Begin the letters of a batch with an approved text; the run that the batch has already, if it has one.

    What collects now stands on the back, whatever ends before the letters arrive left out. Locks: the round.
    Raises: NotFound; Conflict for a text that was not approved, a changed key, or a batch without vouchers.
    """
    round_id = round_of_batch(session, batch_id)
    if round_id is None:
        raise NotFound(_("Deze partij vouchers bestaat niet."))
    round_ = lock_round(session, round_id)
    if (living := living_run(session, batch_id)) is not None:
        return living
    text = session.get(LetterText, text_id)
    if text is None or text.approved_at is None:
        raise Conflict(_("Deze tekst van de brief is niet goedgekeurd. Keur eerst een tekst goed."))
    if round_.key_fingerprint is not None and round_.key_fingerprint != keys.fingerprint:
        raise Conflict(_("Deze vouchers zijn met een andere ABS_VOUCHER_KEY gemaakt. Zet die sleutel terug."))
    count = living_count(session, batch_id)
    if not count:
        raise Conflict(_("In deze partij is geen voucher die nog op een brief kan."))
    run = LetterRun(
        round_id=round_id,
        batch_id=batch_id,
        letter_text_id=text_id,
        choices=choices_by_neighbourhood(session, on=max(local_date(now), local_date(round_.opens_at))),
        help_points=help_points(session),
        letter_count=count,
        letters_per_file=LETTERS_A_FILE,
        state=RunState.MAKING.value,
        began_at=now,
    )
    session.add(run)
    session.flush()
    events.record(
        session,
        "letter_run.begun",
        run.id,
        actor=actor,
        now=now,
        round=round_id,
        batch=batch_id,
        letters=count,
        text=text_id,
    )
    return run


def living_run(session: Session, batch_id: int) -> LetterRun | None:
    """The run of a batch that was not withdrawn."""
    return session.scalar(
        select(LetterRun).where(LetterRun.batch_id == batch_id, LetterRun.state != RunState.WITHDRAWN.value)
    )


def lock_run(session: Session, run_id: int) -> LetterRun:
    """The run, locked against everyone who would change it. Raises: NotFound."""
    run = session.scalar(
        select(LetterRun).where(LetterRun.id == run_id).with_for_update().execution_options(populate_existing=True)
    )
    if run is None:
        raise NotFound(_("Deze brieven bestaan niet."))
    return run


def add_file(session: Session, made: LetterFile) -> None:
    """Write down a file that was made, or made again: then its count and bytes are the same, or nothing is changed.

    Locks: the run. Raises: NotFound; Conflict when the run was withdrawn, or the file differs from the one before.
    """
    run = lock_run(session, made.run_id)
    if run.state == RunState.WITHDRAWN:
        raise Conflict(_("Deze brieven zijn ingetrokken. Begin opnieuw."))
    before = session.get(LetterFile, (made.run_id, made.kind, made.number))
    if before is None:
        session.add(made)
    elif (before.sha256, before.letter_count) != (made.sha256, made.letter_count):
        raise Conflict(differs(FileKind(made.kind), made.number))
    elif made.store_key is not None:
        before.store_key = made.store_key
    session.flush()


def differs(kind: FileKind, number: int) -> str:
    """What to say of a file that is not what it was."""
    sentence: str = _(
        "Bestand %(number)s (%(kind)s) is anders dan toen het is gemaakt: er is een adres, een wijkcentrum of een "
        "instelling veranderd. Er is niets vervangen. Trek deze brieven in en begin opnieuw, of gebruik de eerste.",
        number=number,
        kind=kind.label,
    )
    return sentence


def finish_run(session: Session, run_id: int, *, actor: Actor, now: dt.datetime) -> LetterRun:
    """Say that every file is there; the counts must add up. Locks: the run. Raises: NotFound, Conflict."""
    run = lock_run(session, run_id)
    rows = session.scalars(select(LetterFile).where(LetterFile.run_id == run_id)).all()
    counts = {kind: sum(row.letter_count for row in rows if row.kind == kind) for kind in FileKind}
    if set(counts.values()) != {run.letter_count}:
        raise Conflict(
            _(
                "De aantallen kloppen niet: %(letters)s brieven en %(lines)s regels voor %(count)s vouchers.",
                letters=counts[FileKind.LETTERS],
                lines=counts[FileKind.ADDRESSES],
                count=run.letter_count,
            )
        )
    if run.state == RunState.MAKING:
        check_move(TRANSITIONS, RunState(run.state), RunState.MADE, _("brieven"))
        run.state = RunState.MADE.value
        run.made_at = now
        events.record(
            session, "letter_run.made", run_id, actor=actor, now=now, letters=run.letter_count, files=len(rows)
        )
        session.flush()
    return run
