# SPDX-License-Identifier: EUPL-1.2
"""Who works for the municipality, with which roles and desks: finance alone, and always somebody who coordinates."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events, outbox
from abs_platform.accounts import absences, second_factor
from abs_platform.accounts.models import Account, AccountSession, DeskAssignment, Passkey, StaffRole, TotpDevice
from abs_platform.accounts.service import account_of_email
from abs_platform.accounts.states import STAFF_SESSION
from abs_platform.actors import Actor
from abs_platform.areas.queries import list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.users import Role

_DESK_LEVELS = (AreaLevel.MUNICIPALITY, AreaLevel.DISTRICT)


@dataclass(frozen=True, slots=True)
class Work:
    """The roles of somebody, and the areas whose desk this person works at."""

    roles: frozenset[Role] = frozenset()
    area_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A member of staff as the coordinator sees one."""

    id: int
    name: str
    email: str
    work: Work
    has_second_factor: bool
    last_sign_in_at: dt.datetime | None
    open_sessions: int


def list_staff(session: Session, now: dt.datetime, account_id: int | None = None) -> list[StaffRow]:
    """Everybody with a role, by name; or one of them."""
    roles = func.array_agg(StaffRole.role).label("roles")
    living = select(StaffRole.account_id, roles).where(StaffRole.ended_at.is_(None)).group_by(StaffRole.account_id)
    staff = living.subquery()
    desks = select(func.array_agg(DeskAssignment.area_id)).where(DeskAssignment.account_id == Account.id)
    own = AccountSession.account_id == Account.id
    is_open = AccountSession.ended_at.is_(None) & (AccountSession.expires_at > now)
    has_app = select(TotpDevice.account_id).where(TotpDevice.account_id == Account.id).exists()
    has_passkey = select(Passkey.id).where(Passkey.account_id == Account.id).exists()
    query = (
        select(
            Account.id,
            Account.name,
            Account.email,
            staff.c.roles,
            desks.scalar_subquery().label("desks"),
            (has_app | has_passkey).label("has_second_factor"),
            select(func.max(AccountSession.started_at)).where(own).scalar_subquery().label("last"),
            select(func.count()).where(own, is_open).scalar_subquery().label("open"),
        )
        .join(staff, staff.c.account_id == Account.id)
        .order_by(func.lower(Account.name), Account.id)
    )
    if account_id is not None:
        query = query.where(Account.id == account_id)
    return [
        StaffRow(
            row.id,
            row.name or (row.email or "").partition("@")[0],
            row.email or "",
            Work(frozenset(map(Role, row.roles)), frozenset(row.desks or ())),
            row.has_second_factor,
            row.last,
            row.open,
        )
        for row in session.execute(query)
    ]


def staff_member(session: Session, account_id: int, now: dt.datetime) -> StaffRow:
    """One member of staff. Raises: NotFound."""
    found = list_staff(session, now, account_id)
    if not found:
        raise NotFound(_("Deze gebruiker werkt hier niet (meer). Ga terug naar het overzicht."))
    return found[0]


def desk_names(session: Session) -> dict[int, str]:
    """What each desk is called: the whole municipality first, then the districts by name."""
    areas = list_areas(session, *_DESK_LEVELS)
    areas.sort(key=lambda area: (area.level != AreaLevel.MUNICIPALITY, area.name.casefold()))
    return {area.id: _("Hele gemeente") if area.level == AreaLevel.MUNICIPALITY else area.name for area in areas}


def add_staff(session: Session, email: str, *, name: str, work: Work, actor: Actor, now: dt.datetime) -> bool:
    """Give somebody roles and desks besides those that are there; whether anything was new.

    ``email`` is an address as we keep it. An account is made when there is none. Locks: the account.
    Raises: InvalidInput, Conflict.
    """
    account = second_factor.lock_account(session, account_of_email(session, email, now=now).id)
    if name and not account.name:
        account.name = name
    had = _work_of(session, account.id)
    wanted = Work(had.roles | work.roles, had.area_ids | work.area_ids)
    return _change(session, account, had, wanted, actor=actor, now=now)


def change_staff(session: Session, account_id: int, *, work: Work, actor: Actor, now: dt.datetime) -> bool:
    """Let somebody have these roles and desks from now on; whether anything changed.

    Locks: the account. Raises: NotFound, InvalidInput, Conflict when nobody would coordinate.
    """
    account = second_factor.lock_account(session, account_id)
    had = _work_of(session, account_id)
    if not had.roles:
        raise NotFound(_("Deze gebruiker werkt hier niet (meer). Ga terug naar het overzicht."))
    if not work.roles:
        message = _("Kies minstens één rol. Of beëindig de toegang van deze gebruiker.")
        raise InvalidInput(message, fields={"roles": message})
    return _change(session, account, had, work, actor=actor, now=now)


def end_staff(session: Session, account_id: int, *, role: Role | None, actor: Actor, now: dt.datetime) -> None:
    """End a role of somebody, or all of them; what this person is as a resident stays.

    Locks: the account. Raises: NotFound, Conflict when nobody would coordinate.
    """
    account = second_factor.lock_account(session, account_id)
    had = _work_of(session, account_id)
    if not had.roles or (role is not None and role not in had.roles):
        raise NotFound(_("Deze gebruiker heeft deze rol niet (meer). Ga terug naar het overzicht."))
    left = had.roles - {role} if role is not None else frozenset()
    area_ids = had.area_ids if Role.DISTRICT_MANAGER in left else frozenset()
    _change(session, account, had, Work(left, area_ids), actor=actor, now=now)


def reset_second_factor(session: Session, account_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Let a member of staff who lost everything begin anew. Locks: the account.

    Raises: NotFound; Conflict for the own one, because an open browser alone must not be enough.
    """
    staff_member(session, account_id, now)
    if _is_self(actor, account_id):
        raise Conflict(_("Je eigen tweede stap kun je hier niet wissen. Vraag een andere beheerder."))
    second_factor.reset(session, account_id, actor=actor, now=now)


def _work_of(session: Session, account_id: int) -> Work:
    roles = session.scalars(
        select(StaffRole.role).where(StaffRole.account_id == account_id, StaffRole.ended_at.is_(None))
    )
    areas = session.scalars(select(DeskAssignment.area_id).where(DeskAssignment.account_id == account_id))
    return Work(frozenset(map(Role, roles)), frozenset(areas))


def _change(session: Session, account: Account, had: Work, wanted: Work, *, actor: Actor, now: dt.datetime) -> bool:
    if had == wanted:
        return False
    desks = _refuse_wrong(session, wanted)
    ended, granted = had.roles - wanted.roles, wanted.roles - had.roles
    if Role.FINANCE in granted and _is_self(actor, account.id):
        message = _("Jezelf kun je geen financieel medewerker maken. Vraag een andere beheerder.")
        raise InvalidInput(message, fields={"roles": message})
    if Role.COORDINATOR in ended:
        _ensure_other_coordinator(session, account.id)
    if Role.DISTRICT_MANAGER in ended:
        absences.end_of_work(session, account.id, now=now)
    own = (StaffRole.account_id == account.id, StaffRole.ended_at.is_(None))
    if ended:
        session.execute(update(StaffRole).where(*own, StaffRole.role.in_(ended)).values(ended_at=now))
    if granted:
        roles = [{"account_id": account.id, "role": role.value, "granted_at": now} for role in sorted(granted)]
        session.execute(insert(StaffRole), roles)
    gone, new = had.area_ids - wanted.area_ids, wanted.area_ids - had.area_ids
    if gone:
        session.execute(
            delete(DeskAssignment).where(DeskAssignment.account_id == account.id, DeskAssignment.area_id.in_(gone))
        )
    if new:
        session.execute(insert(DeskAssignment), [{"account_id": account.id, "area_id": area} for area in sorted(new)])
    if not had.roles:
        _shorten_sessions(session, account.id, now)
    events.record(
        session,
        "account.work_changed",
        account.id,
        actor=actor,
        now=now,
        roles=sorted(wanted.roles),
        ended=sorted(ended),
        area_ids=sorted(wanted.area_ids),
    )
    _tell(session, account, had, wanted, desks, now=now)
    return True


def _is_self(actor: Actor, account_id: int) -> bool:
    """Whether somebody does this to the own account."""
    return actor == Actor("staff", str(account_id))


def _refuse_wrong(session: Session, work: Work) -> list[str]:
    """What is wrong with roles and desks, whoever gives them; else the names of the desks. Raises: InvalidInput."""
    if Role.FINANCE in work.roles and len(work.roles) > 1:
        raise _finance_alone()
    names = desk_names(session)
    if not work.area_ids <= set(names):
        message = _("Een van deze wijken bestaat niet (meer).")
        raise InvalidInput(message, fields={"desks": message})
    is_district_manager = Role.DISTRICT_MANAGER in work.roles
    if is_district_manager and not work.area_ids:
        message = _("Kies voor welke wijken deze wijkregisseur werkt.")
        raise InvalidInput(message, fields={"desks": message})
    if work.area_ids and not is_district_manager:
        message = _("Alleen een wijkregisseur werkt voor wijken. Kies ook die rol, of geen wijken.")
        raise InvalidInput(message, fields={"desks": message})
    return [name for area_id, name in names.items() if area_id in work.area_ids]


def _finance_alone() -> InvalidInput:
    message = _("Wie uitbetaalt, beslist niet over initiatieven. Geef een financieel medewerker geen andere rol.")
    return InvalidInput(message, fields={"roles": message})


def _ensure_other_coordinator(session: Session, account_id: int) -> None:
    """Locks: all roles of coordinators, so that two cannot end each other at one moment. Raises: Conflict."""
    living = (
        select(StaffRole.account_id)
        .join(Account, Account.id == StaffRole.account_id)
        .where(StaffRole.role == Role.COORDINATOR.value, StaffRole.ended_at.is_(None), Account.deleted_at.is_(None))
        .order_by(StaffRole.id)
        .with_for_update(of=StaffRole)
    )
    if set(session.scalars(living)) <= {account_id}:
        raise Conflict(_("Dit is de laatste beheerder. Maak eerst iemand anders beheerder."))


def _shorten_sessions(session: Session, account_id: int, now: dt.datetime) -> None:
    """Who becomes staff signs in every day, also in browsers that were open already."""
    is_long = (AccountSession.account_id == account_id) & (AccountSession.expires_at > now + STAFF_SESSION)
    session.execute(update(AccountSession).where(is_long).values(expires_at=now + STAFF_SESSION))


def _tell(
    session: Session, account: Account, had: Work, work: Work, desks: Collection[str], *, now: dt.datetime
) -> None:
    """Mail the person what changed."""
    outbox.queue(
        session,
        "staff_changed" if had.roles else "staff_invitation",
        to=account.email or "",
        event=f"work:{account.id}:{secrets.token_hex(4)}",
        now=now,
        name=account.name,
        roles=[role.label for role in sorted(work.roles)],
        desks=list(desks),
    )


on_violation("ex_staff_roles_finance_alone", _finance_alone)
