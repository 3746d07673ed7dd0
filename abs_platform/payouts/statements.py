# SPDX-License-Identifier: EUPL-1.2
"""What the bank says became of payouts: each line of a statement is compared with ours, and applied or made a task.

In one go, with a report: the file alone decides, so there is nothing to choose between reading and applying it.

1. A file counts once (its digest), and so does a line that came in an earlier statement (the bank's reference).
2. A debit with our end-to-end id and exactly our amount pays a payout of a released batch.
3. A credit with that id and amount is a return: the payout bounced, whatever was seen first.
4. What was booked by hand already, or is the other half of a return, agrees: nothing is booked. A payment of what was
   booked by hand as come back is a task, until the statement shows that it came back.
5. Anything else with an id of ours is a task with both sides, and nothing is booked.
6. Lines without an id of ours are counted and not kept.

Locks: one statement at a time; then the initiatives in the order of their numbers, and the payouts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.database import on_violation
from abs_platform.errors import Conflict
from abs_platform.events import Event
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.initiatives.service import lock
from abs_platform.money import format_euros_exact
from abs_platform.payment_settings import BankAccount
from abs_platform.payouts import queries
from abs_platform.payouts.approving import mark_bounced, mark_paid
from abs_platform.payouts.camt import Line, read_statement
from abs_platform.payouts.models import BankStatement, Payout, PayoutBatch, StatementLine
from abs_platform.payouts.states import BatchState, LineOutcome, PayoutState
from abs_platform.users import User

_LOCK = 7_204_411
_OURS = re.compile(r"UB-[0-9A-F]{16}|ABS-\d{8}-[0-9A-F]{8}")  # of a payout (service.py), of a batch (batches.py)
_AGREEING = [outcome.value for outcome in LineOutcome if outcome != LineOutcome.DIFFERS]


def _same_file() -> Conflict:
    return Conflict(_("Dit afschrift is al verwerkt. Je hoeft niets meer te doen."))


on_violation("uq_bank_statements_sha256", _same_file)


@dataclass(frozen=True, slots=True)
class _Verdict:
    outcome: LineOutcome
    why: str = ""


def take_in(session: Session, content: bytes, *, account: BankAccount | None, user: User, now: dt.datetime) -> int:
    """Read a statement and apply it; returns its number, whose page is the report.

    Raises: InvalidInput with what is wrong with the file, Conflict when it was taken in before.
    """
    if account is None:
        raise Conflict(_("De rekening van de gemeente is niet ingesteld. Zonder die rekening kun je niet uitbetalen."))
    read = read_statement(content, account.iban)
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    sha256 = hashlib.sha256(content).hexdigest()
    if session.scalar(select(BankStatement.id).where(BankStatement.sha256 == sha256)) is not None:
        raise _same_file()
    lines = [part for line in read.lines for part in _parts(session, line)]
    payouts = _locked(session, lines)
    ours = [line for line in lines if line.end_to_end_id in payouts or _OURS.fullmatch(line.end_to_end_id)]
    statement = BankStatement(
        sha256=sha256,
        statement_ids=", ".join(read.ids),
        line_count=len(lines),
        matched_count=0,
        differing_count=0,
        known_count=0,
        uploaded_at=now,
        uploaded_by_id=user.account_id,
    )
    session.add(statement)
    session.flush()
    counts: Counter[LineOutcome | None] = Counter()
    # What went before what came back; of what we know to be back the other way about.
    known_back = {number for number, payout in payouts.items() if payout.state == PayoutState.BOUNCED}
    for line in sorted(ours, key=lambda one: (one.is_credit != (one.end_to_end_id in known_back), one.booked_on)):
        payout = payouts.get(line.end_to_end_id)
        counts[_apply(session, line, payout, statement_id=statement.id, actor=user.actor(), now=now)] += 1
    statement.known_count, statement.differing_count = counts.pop(None, 0), counts.pop(LineOutcome.DIFFERS, 0)
    statement.matched_count = counts.total()
    events.record(
        session,
        "bank_statement.taken_in",
        statement.id,
        actor=user.actor(),
        now=now,
        sha256=sha256,
        lines=statement.line_count,
        matched=statement.matched_count,
        differing=statement.differing_count,
    )
    session.flush()
    return statement.id


def _parts(session: Session, line: Line) -> Iterable[Line]:
    """A line; or its payouts, when the bank booked a whole file of ours in one line with its sum and count."""
    if not line.batch_id:
        return [line]
    batch = session.scalar(select(PayoutBatch).where(PayoutBatch.message_id == line.batch_id))
    if batch is None:
        return [line]
    is_whole = line.amount_cents == batch.sum_cents and line.batch_count in {None, batch.payout_count}
    held = session.execute(select(Payout.end_to_end_id, Payout.amount_cents).where(Payout.batch_id == batch.id)).all()
    if line.is_credit or not is_whole or len(held) != batch.payout_count:
        return [replace(line, end_to_end_id=line.batch_id, is_clear=False)]
    return [replace(line, end_to_end_id=number, amount_cents=cents) for number, cents in held]


def _locked(session: Session, lines: Iterable[Line]) -> dict[str, Payout]:
    numbers = {line.end_to_end_id for line in lines} - {""}
    chosen = Payout.end_to_end_id.in_(numbers)
    for initiative_id in session.scalars(
        select(Payout.initiative_id).where(chosen).distinct().order_by(Payout.initiative_id)
    ).all():
        lock(session, initiative_id)
    query = select(Payout).where(chosen).order_by(Payout.id).with_for_update()
    found = session.scalars(query.execution_options(populate_existing=True))
    return {payout.end_to_end_id: payout for payout in found}


def _apply(
    session: Session, line: Line, payout: Payout | None, *, statement_id: int, actor: Actor, now: dt.datetime
) -> LineOutcome | None:
    """Write a line down and do what it says; None when it came before."""
    verdict = _judge(session, line, payout)
    line_id = session.scalar(
        insert(StatementLine)
        .values(
            statement_id=statement_id,
            bank_reference=line.bank_reference,
            end_to_end_id=line.end_to_end_id,
            amount_cents=line.amount_cents,
            is_credit=line.is_credit,
            booked_on=line.booked_on,
            outcome=verdict.outcome.value,
        )
        .on_conflict_do_nothing(index_elements=["bank_reference", "end_to_end_id", "is_credit"])
        .returning(StatementLine.id)
    )
    if line_id is None:
        return None
    if payout is None or verdict.outcome == LineOutcome.DIFFERS:
        _open_task(session, line, payout, why=verdict.why, line_id=line_id, now=now)
    elif verdict.outcome == LineOutcome.PAID:
        if payout.state == PayoutState.APPROVED:
            _open_task(session, line, payout, why=_("De opdracht was ingetrokken."), line_id=line_id, now=now)
        mark_paid(session, payout.id, paid_on=line.booked_on, statement_line_id=line_id, actor=actor, now=now)
    elif verdict.outcome == LineOutcome.BOUNCED:
        mark_bounced(session, payout.id, reason=_why_it_came_back(line), actor=actor, now=now)
    elif line.is_credit:
        payout.is_doubtful = False
        session.flush()
    elif payout.state == PayoutState.PAID:
        payout.statement_line_id = line_id
        session.flush()
    return verdict.outcome


def _judge(session: Session, line: Line, payout: Payout | None) -> _Verdict:
    """What a line means for its payout as it is now (rules 2 to 5 above)."""
    if payout is None:
        return _differs(_("Dit kenmerk kennen we niet, of het hoort bij een hele betaalopdracht."))
    if not line.is_clear or line.amount_cents != payout.amount_cents:
        return _differs(_("Het bedrag is anders."))
    if line.is_reversal and not line.is_credit:
        return _differs(_("De bank draait een terugboeking terug."))
    return _judge_return(session, payout) if line.is_credit else _judge_payment(session, payout)


def _judge_payment(session: Session, payout: Payout) -> _Verdict:
    """Money went out (rules 2 and 4)."""
    is_told = payout.state == PayoutState.PAID or (
        payout.state == PayoutState.BOUNCED and _is_seen(session, payout, is_credit=True)
    )
    if is_told and not _is_seen(session, payout, is_credit=False):
        return _Verdict(LineOutcome.AGREED)
    if payout.state == PayoutState.BOUNCED:
        return _differs(_("Bij ons is deze uitbetaling teruggekomen, en de bank heeft betaald."))
    if not _is_at_bank(session, payout) and not _was_withdrawn(session, payout):
        return _differs(_("Deze uitbetaling was niet vrijgegeven, of is al betaald."))
    if payout.amount_cents > queries.balance_of(session, payout.initiative_id):
        return _differs(_("In onze boeken staat te weinig voor dit initiatief."))
    return _Verdict(LineOutcome.PAID)


def _judge_return(session: Session, payout: Payout) -> _Verdict:
    """Money came back (rules 3 and 4)."""
    if queries.is_more_returned(session, payout):
        return _differs(_("Het initiatief stortte hier al van terug."))
    if payout.state == PayoutState.PAID or _is_at_bank(session, payout):
        return _Verdict(LineOutcome.BOUNCED)
    if payout.state == PayoutState.BOUNCED and not _is_seen(session, payout, is_credit=True):
        return _Verdict(LineOutcome.AGREED)
    return _differs(_("Dit kan niet terugkomen: het is niet uitbetaald, of al teruggekomen."))


def _differs(why: str) -> _Verdict:
    return _Verdict(LineOutcome.DIFFERS, why)


def _is_seen(session: Session, payout: Payout, *, is_credit: bool) -> bool:
    """Whether a line in this direction agreed with the payout before."""
    query = select(StatementLine.id).where(
        StatementLine.end_to_end_id == payout.end_to_end_id,
        StatementLine.is_credit.is_(is_credit),
        StatementLine.outcome.in_(_AGREEING),
    )
    return session.scalar(query.limit(1)) is not None


def _is_at_bank(session: Session, payout: Payout) -> bool:
    """Whether the bank may have it: in a file that was released."""
    query = select(PayoutBatch.state).where(PayoutBatch.id == payout.batch_id)
    return payout.state == PayoutState.EXPORTED and session.scalar(query) == BatchState.RELEASED


def _was_withdrawn(session: Session, payout: Payout) -> bool:
    """Whether the bank may have it all the same: it is in no file, and was in one that was released and withdrawn."""
    made = (Event.kind == "payout_batch.made") & (Event.subject_id == PayoutBatch.id)
    query = (
        select(PayoutBatch.id)
        .join(Event, made)
        .where(PayoutBatch.state == BatchState.CANCELLED.value, PayoutBatch.released_at.is_not(None))
        .where(Event.details["payout_ids"].contains([payout.id]))
    )
    return payout.state == PayoutState.APPROVED and session.scalar(query.limit(1)) is not None


def _why_it_came_back(line: Line) -> str:
    day = f"{line.booked_on:%d-%m-%Y}"
    if line.reason.isalnum():
        return str(_("Teruggekomen op %(day)s. De bank meldt code %(code)s.", day=day, code=line.reason))
    return str(_("Teruggekomen op %(day)s.", day=day))


def _open_task(
    session: Session, line: Line, payout: Payout | None, *, why: str, line_id: int, now: dt.datetime
) -> None:
    theirs = {"day": f"{line.booked_on:%d-%m-%Y}", "amount": format_euros_exact(line.amount_cents), "why": why}
    open_task(
        session,
        TaskKind.STATEMENT,
        f"statement-line:{line_id}",
        now=now,
        payout_id=payout.id if payout else None,
        initiative_id=payout.initiative_id if payout else None,
        amount_cents=line.amount_cents,
        ours=_(
            "Uitbetaling %(number)s van %(amount)s: %(state)s.",
            number=payout.end_to_end_id,
            amount=format_euros_exact(payout.amount_cents),
            state=PayoutState(payout.state).label,
        )
        if payout
        else _("Geen uitbetaling met dit kenmerk."),
        theirs=_("Bijgeschreven op %(day)s: %(amount)s. %(why)s", **theirs)
        if line.is_credit
        else _("Afgeschreven op %(day)s: %(amount)s. %(why)s", **theirs),
        external_id=line.end_to_end_id,
    )
