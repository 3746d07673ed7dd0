# SPDX-License-Identifier: EUPL-1.2
"""Absence: somebody else works at the desks of a wijkregisseur for some days, and is there herself all those days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.orm import Session

from abs_platform import events, outbox
from abs_platform.accounts.models import Absence, Account, StaffRole
from abs_platform.accounts.queries import email_of, names_of
from abs_platform.accounts.second_factor import lock_account
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.templating import long_date
from abs_platform.users import Role

MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class AbsenceRow:
    """Somebody is away from one day to another, both included, and somebody else is there."""

    id: int
    account_id: int
    name: str
    stand_in_id: int
    stand_in_name: str
    starts_on: dt.date
    ends_on: dt.date


def absences_of(session: Session, account_id: int, today: dt.date) -> list[AbsenceRow]:
    """The days from today on that somebody is away, or is there for another; the first ones first."""
    mine = or_(Absence.account_id == account_id, Absence.stand_in_id == account_id)
    rows = list(session.scalars(select(Absence).where(mine, Absence.ends_on >= today).order_by(Absence.starts_on)))
    names = names_of(session, [number for row in rows for number in (row.account_id, row.stand_in_id)])
    return [
        AbsenceRow(
            row.id,
            row.account_id,
            names[row.account_id],
            row.stand_in_id,
            names[row.stand_in_id],
            row.starts_on,
            row.ends_on,
        )
        for row in rows
    ]


def possible_stand_ins(session: Session, account_id: int) -> list[tuple[int, str]]:
    """The other wijkregisseurs, by name."""
    others = session.scalars(_district_managers().where(Account.id != account_id)).all()
    return sorted(names_of(session, others).items(), key=lambda one: one[1].casefold())


def is_district_manager(session: Session, account_id: int) -> bool:
    """Whether somebody works as a wijkregisseur now."""
    return session.scalar(_district_managers().where(Account.id == account_id)) is not None


def add_absence(
    session: Session,
    account_id: int,
    stand_in_id: int,
    starts_on: dt.date,
    ends_on: dt.date,
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Write down that somebody will be away, and who is there instead. Both are mailed, see ``_tell``.

    A stand-in passes nothing on. So who stands in is not away on those days, and who is away stands in for nobody.
    Locks: both accounts, in order of their number. Raises: InvalidInput, Conflict, NotFound.
    """
    _refuse_days(starts_on, ends_on, local_date(now))
    _refuse_stand_in(session, account_id, stand_in_id)
    for number in sorted((account_id, stand_in_id)):
        lock_account(session, number)
    _refuse_stand_in(session, account_id, stand_in_id)
    if not is_district_manager(session, account_id):
        raise NotFound(_("Alleen een wijkregisseur heeft een vervanger."))
    _refuse_overlap(session, account_id, stand_in_id, starts_on, ends_on)
    absence = Absence(account_id=account_id, stand_in_id=stand_in_id, starts_on=starts_on, ends_on=ends_on)
    session.add(absence)
    session.flush()
    days = {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat()}
    events.record(session, "account.absence_added", account_id, actor=actor, now=now, stand_in_id=stand_in_id, **days)
    _tell(session, absence, is_over=False, actor=actor, now=now)


def remove_absence(session: Session, account_id: int, absence_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """This person is not away after all, or is back early. Both are mailed, see ``_tell``.

    Locks: the absence. Raises: NotFound.
    """
    today = local_date(now)
    absence = session.get(Absence, absence_id, with_for_update=True, populate_existing=True)
    if absence is None or absence.account_id != account_id or absence.ends_on < today:
        raise NotFound(_("Deze afwezigheid staat niet (meer) in de lijst."))
    _tell(session, absence, is_over=True, actor=actor, now=now)
    if absence.starts_on < today:
        absence.ends_on = today - dt.timedelta(days=1)
    else:
        session.delete(absence)
    events.record(session, "account.absence_removed", account_id, actor=actor, now=now, stand_in_id=absence.stand_in_id)


def end_of_work(session: Session, account_id: int, *, now: dt.datetime) -> None:
    """Somebody is no wijkregisseur any more. Under the lock of the account.

    Raises: Conflict when a colleague counts on this person as a stand-in.
    """
    today = local_date(now)
    counting = next((row for row in absences_of(session, account_id, today) if row.stand_in_id == account_id), None)
    if counting is not None:
        raise Conflict(
            _(
                "Deze wijkregisseur vervangt %(name)s tot en met %(date)s. Regel eerst een andere vervanger.",
                name=counting.name,
                date=long_date(counting.ends_on),
            )
        )
    session.execute(delete(Absence).where(Absence.account_id == account_id, Absence.ends_on >= today))


def _district_managers() -> Select[int]:
    return (
        select(Account.id)
        .join(StaffRole, StaffRole.account_id == Account.id)
        .where(
            StaffRole.role == Role.DISTRICT_MANAGER.value,
            StaffRole.ended_at.is_(None),
            Account.deleted_at.is_(None),
        )
    )


def _refuse_stand_in(session: Session, account_id: int, stand_in_id: int) -> None:
    if stand_in_id == account_id or not is_district_manager(session, stand_in_id):
        message = _("Kies een andere wijkregisseur als vervanger.")
        raise InvalidInput(message, fields={"stand_in_id": message})


def _refuse_days(starts_on: dt.date, ends_on: dt.date, today: dt.date) -> None:
    fields = {}
    if starts_on < today:
        fields["starts_on"] = _("Kies een eerste dag vanaf vandaag.")
    if ends_on < starts_on:
        fields["ends_on"] = _("De laatste dag ligt voor de eerste. Kies een latere dag.")
    elif (ends_on - starts_on).days >= MOST_DAYS:
        fields["ends_on"] = _("Dit is langer dan een jaar. Kies een eerdere laatste dag.")
    if fields:
        raise InvalidInput(" ".join(fields.values()), fields=fields)


def _refuse_overlap(session: Session, account_id: int, stand_in_id: int, starts_on: dt.date, ends_on: dt.date) -> None:
    same_days = (Absence.starts_on <= ends_on, Absence.ends_on >= starts_on)

    def other(*which: ColumnElement[bool]) -> Absence | None:
        return session.scalar(select(Absence).where(*which, *same_days).order_by(Absence.starts_on).limit(1))

    if other(Absence.account_id == account_id):
        raise _overlaps()
    if away := other(Absence.account_id == stand_in_id):
        message = _(
            "Je vervanger is zelf afwezig van %(first)s tot en met %(last)s. Kies iemand anders.",
            first=long_date(away.starts_on),
            last=long_date(away.ends_on),
        )
        raise InvalidInput(message, fields={"stand_in_id": message})
    if standing_in := other(Absence.stand_in_id == account_id):
        raise Conflict(
            _(
                "Dan wordt %(name)s vervangen door deze persoon (%(first)s tot en met %(last)s). Regel eerst iemand "
                "anders.",
                name=names_of(session, [standing_in.account_id])[standing_in.account_id],
                first=long_date(standing_in.starts_on),
                last=long_date(standing_in.ends_on),
            )
        )


def _overlaps() -> InvalidInput:
    message = _("Op een of meer van deze dagen stond al een afwezigheid. Haal die eerst weg, of kies andere dagen.")
    return InvalidInput(message, fields={"starts_on": message})


def _tell(session: Session, absence: Absence, *, is_over: bool, actor: Actor, now: dt.datetime) -> None:
    """Mail the stand-in; and who is away, when somebody else wrote it down."""
    context: dict[str, Any] = {
        "name": names_of(session, [absence.account_id])[absence.account_id],
        "stand_in": names_of(session, [absence.stand_in_id])[absence.stand_in_id],
        "starts_on": absence.starts_on,
        "ends_on": absence.ends_on,
        "is_over": is_over,
    }
    mails = {"staff_stand_in": absence.stand_in_id}
    if str(actor) != f"staff:{absence.account_id}":
        mails["staff_absence"] = absence.account_id
    for template, account_id in mails.items():
        if email := email_of(session, account_id):
            event = f"{template}:{absence.id}:{'removed' if is_over else 'added'}"
            outbox.queue(session, template, to=email, event=event, now=now, **context)


on_violation("ex_absences_one_at_a_time", _overlaps)
