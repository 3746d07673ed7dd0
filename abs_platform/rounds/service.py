# SPDX-License-Identifier: EUPL-1.2
"""Planning, issuing and closing rounds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.areas.queries import list_districts
from abs_platform.clock import local_date
from abs_platform.config import Rules
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, InvalidInput, NotFound, RoundOverlaps
from abs_platform.lives import check_move
from abs_platform.money import format_euros
from abs_platform.rounds.models import Round, RoundDistrict
from abs_platform.rounds.states import TRANSITIONS, RoundState

MAX_NAME = 60
_PLANNING_LOCK = 7_601_002

on_violation(
    "ex_round_districts_one_open_round",
    lambda: RoundOverlaps(
        _("In een van deze wijken is in die tijd al een ronde open. Kies andere data of andere wijken.")
    ),
)
on_violation("uq_rounds_name", lambda: Conflict(_("Er is al een ronde met deze naam. Kies een andere naam.")))


def plan_round(
    session: Session,
    *,
    name: str,
    issue_on: dt.date,
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    amount_cents: int,
    districts: Sequence[str],
    rules: Rules,
    actor: Actor,
    now: dt.datetime,
) -> Round:
    """Plan a round for the districts given by code or name (none = all current ones).

    Locks: planning; two who planned at once for the same districts could each wait for what the other has.
    Raises: InvalidInput for dates out of order, in the past, or an unknown district; RoundOverlaps (from the database)
    when a district would have two rounds open at once.
    """
    fields = {}
    if not name.strip() or len(name) > MAX_NAME:
        fields["name"] = f"Geef de ronde een naam van hoogstens {MAX_NAME} tekens."
    if not 0 < amount_cents <= rules.max_voucher_amount_cents:
        fields["amount"] = (
            f"Het bedrag moet meer dan nul zijn, en hoogstens {format_euros(rules.max_voucher_amount_cents)}."
        )
    if opens_at >= closes_at:
        fields["closes_at"] = "De ronde moet later sluiten dan zij opent."
    if issue_on > local_date(opens_at):
        fields["issue_on"] = "De vouchers moeten er zijn op of voor de dag waarop de ronde opent."
    if closes_at <= now:
        fields["closes_at"] = "De ronde zou al voorbij zijn. Kies een dag in de toekomst."
    if fields:
        raise InvalidInput(" ".join(fields.values()), fields=fields)
    district_ids = _find_districts(session, districts)
    session.execute(select(func.pg_advisory_xact_lock(_PLANNING_LOCK)))
    round_ = Round(
        name=name.strip(),
        state=RoundState.DRAFT.value,
        issue_on=issue_on,
        opens_at=opens_at,
        closes_at=closes_at,
        amount_cents=amount_cents,
        kept_valid_days=rules.kept_valid_days,
        returned_valid_days=rules.returned_valid_days,
    )
    session.add(round_)
    session.flush()
    session.execute(
        insert(RoundDistrict),
        [
            {"round_id": round_.id, "district_id": district_id, "opens_at": opens_at, "closes_at": closes_at}
            for district_id in district_ids
        ],
    )
    _move(session, round_, RoundState.PLANNED, actor=actor, now=now)
    return round_


def _find_districts(session: Session, wanted: Sequence[str]) -> list[int]:
    rows = list_districts(session)
    if not rows:
        raise InvalidInput("Er zijn nog geen wijken. Laad ze eerst met: abs areas load CSV")
    if not wanted:
        return [row.id for row in rows]
    known = {key.casefold(): row.id for row in rows for key in (row.code, row.name)}
    if unknown := [key for key in wanted if key.casefold() not in known]:
        raise InvalidInput(f"Geen wijk met code of naam '{unknown[0]}'. Kijk in de lijst van: abs areas list")
    return sorted({known[key.casefold()] for key in wanted})


def lock_round(session: Session, round_id: int) -> Round:
    """The round, locked against everyone who would change it. Raises: NotFound.

    Not against those who only refer to it (FOR NO KEY UPDATE): a gift's booking does, and it holds its voucher by then.
    Who holds the round and wants that voucher would wait for the gift, and the gift for the round.
    """
    round_ = session.scalar(
        select(Round)
        .where(Round.id == round_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if round_ is None:
        raise NotFound(f"Ronde {round_id} bestaat niet.")
    return round_


def release(
    session: Session,
    round_: Round,
    *,
    letter_text_id: int | None,
    actor: Actor,
    now: dt.datetime,
    despite: Sequence[str] = (),
    reason: str | None = None,
) -> None:
    """Say that a planned round may be issued, with which text of the letter. The caller holds the round's lock.

    ``despite``: the checks that were not green; ``reason``: why it may be issued all the same. Whether it is ready is
    judged by rounds.readiness. Raises: Conflict when it is not planned, or was released already.
    """
    if round_.state != RoundState.PLANNED or round_.released_at is not None:
        raise Conflict(_("Ronde '%(name)s' is al vrijgegeven of uitgegeven.", name=round_.name))
    round_.released_at = now
    round_.letter_text_id = letter_text_id
    events.record(
        session,
        "round.released",
        round_.id,
        actor=actor,
        now=now,
        reason=reason,
        despite=list(despite),
        letter_text=letter_text_id,
    )


def mark_issued(session: Session, round_: Round, *, key_fingerprint: bytes, actor: Actor, now: dt.datetime) -> None:
    """Say that the vouchers of a round are out, and under which key. The caller holds the round's lock."""
    _move(session, round_, RoundState.ISSUED, actor=actor, now=now)
    round_.key_fingerprint = key_fingerprint


def close(session: Session, round_: Round, *, actor: Actor, now: dt.datetime) -> None:
    """Close a round whose time is over. The caller holds the round's lock."""
    _move(session, round_, RoundState.CLOSED, actor=actor, now=now)
    round_.closed_at = now


def _move(session: Session, round_: Round, target: RoundState, *, actor: Actor, now: dt.datetime) -> None:
    check_move(TRANSITIONS, RoundState(round_.state), target, f"ronde '{round_.name}'")
    round_.state = target.value
    events.record(session, f"round.{target.value}", round_.id, actor=actor, now=now)
