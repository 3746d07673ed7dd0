# SPDX-License-Identifier: EUPL-1.2
"""Planning, releasing, issuing and closing rounds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.areas.queries import list_districts
from abs_platform.clock import local_date
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, InvalidInput, NotFound, RoundOverlaps
from abs_platform.lives import check_move
from abs_platform.money import format_euros
from abs_platform.municipality import Rules
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What can be chosen about a round. ``districts`` by code or name (none = all current ones)."""

    name: str
    issue_on: dt.date
    opens_at: dt.datetime
    closes_at: dt.datetime
    amount_cents: int
    districts: Sequence[str] = ()


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
    Raises: InvalidInput for dates out of order, in the past, or an unknown district; RoundOverlaps, which names the
    rounds, when a district would have two rounds open at once (the database sees to it too).
    """
    plan = Plan(
        name=name,
        issue_on=issue_on,
        opens_at=opens_at,
        closes_at=closes_at,
        amount_cents=amount_cents,
        districts=districts,
    )
    check_plan(plan, rules, now)
    district_ids = find_districts(session, districts)
    lock_planning(session)
    refuse_overlap(session, district_ids, opens_at, closes_at)
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
    take_part(session, round_, district_ids)
    _move(session, round_, RoundState.PLANNED, actor=actor, now=now)
    return round_


def check_plan(plan: Plan, rules: Rules, now: dt.datetime) -> None:
    """Raises: InvalidInput with a sentence for each field that is not in order."""
    fields = {}
    if not plan.name.strip() or len(plan.name.strip()) > MAX_NAME:
        fields["name"] = _("Geef de ronde een naam van hoogstens %(most)s tekens.", most=MAX_NAME)
    if plan.issue_on > local_date(plan.opens_at):
        fields["issue_on"] = _("De vouchers moeten er zijn op of voor de dag waarop de ronde opent.")
    if plan.opens_at >= plan.closes_at:
        fields["closes_at"] = _("De ronde moet later sluiten dan zij opent.")
    if plan.closes_at <= now:
        fields["closes_at"] = _("De ronde zou al voorbij zijn. Kies een dag in de toekomst.")
    if not 0 < plan.amount_cents <= rules.max_voucher_amount_cents:
        fields["amount"] = _(
            "Het bedrag moet meer dan nul zijn, en hoogstens %(most)s.",
            most=format_euros(rules.max_voucher_amount_cents),
        )
    if fields:
        raise InvalidInput(" ".join(fields.values()), fields=fields)


def lock_planning(session: Session) -> None:
    """Nobody else plans or moves rounds until this transaction ends. Taken before any round is locked."""
    session.execute(select(func.pg_advisory_xact_lock(_PLANNING_LOCK)))


def refuse_overlap(
    session: Session,
    district_ids: Sequence[int],
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    *,
    except_id: int | None = None,
) -> None:
    """Raises: RoundOverlaps that names the rounds which are open then in one of these districts."""
    names = session.scalars(
        select(Round.name)
        .join(RoundDistrict, RoundDistrict.round_id == Round.id)
        .where(
            RoundDistrict.district_id.in_(district_ids),
            Round.opens_at < closes_at,
            Round.closes_at > opens_at,
            Round.id.is_distinct_from(except_id),
        )
        .distinct()
        .order_by(Round.name)
    ).all()
    if names:
        raise RoundOverlaps(
            _(
                "In een van deze wijken is in die tijd al een ronde open: %(names)s. "
                "Kies andere data of andere wijken.",
                names=", ".join(names),
            )
        )


def take_part(session: Session, round_: Round, district_ids: Sequence[int]) -> None:
    """Write down which districts take part in a round, with its dates."""
    dates = {"round_id": round_.id, "opens_at": round_.opens_at, "closes_at": round_.closes_at}
    session.execute(insert(RoundDistrict), [{"district_id": district_id} | dates for district_id in district_ids])


def find_districts(session: Session, wanted: Sequence[str]) -> list[int]:
    """The districts given by code or name (none = all current ones). Raises: InvalidInput for an unknown one."""
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
    check_not_released(round_)
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


def check_not_released(round_: Round) -> None:
    """Raises: Conflict unless it is planned, and nobody said yet that it may be issued."""
    if round_.state != RoundState.PLANNED or round_.released_at is not None:
        raise Conflict(_("Ronde '%(name)s' is al vrijgegeven, uitgegeven of voorbij.", name=round_.name))


def mark_issued(session: Session, round_: Round, *, key_fingerprint: bytes, actor: Actor, now: dt.datetime) -> None:
    """Say that the vouchers of a round are out, and under which key. The caller holds the round's lock."""
    _move(session, round_, RoundState.ISSUED, actor=actor, now=now)
    round_.key_fingerprint = key_fingerprint


def close(session: Session, round_: Round, *, actor: Actor, now: dt.datetime) -> None:
    """Close a round whose time is over. The caller holds the round's lock."""
    _move(session, round_, RoundState.CLOSED, actor=actor, now=now)
    round_.closed_at = now


def _move(session: Session, round_: Round, target: RoundState, *, actor: Actor, now: dt.datetime) -> None:
    check_move(TRANSITIONS, RoundState(round_.state), target, subject(round_))
    round_.state = target.value
    events.record(session, f"round.{target.value}", round_.id, actor=actor, now=now)


def subject(round_: Round) -> str:
    """A round as a sentence names it."""
    return str(_("ronde '%(name)s'", name=round_.name))
