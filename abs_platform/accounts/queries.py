# SPDX-License-Identifier: EUPL-1.2
"""Reads of accounts: who a session belongs to, and what that person may do today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from abs_platform.accounts.models import (
    Absence,
    Account,
    AccountSession,
    DeskAssignment,
    SignInRequest,
    StaffRole,
    VerifiedAddress,
)
from abs_platform.clock import local_date
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.organisers import LIVING_STATES
from abs_platform.initiatives.permissions import EDITABLE_STATES
from abs_platform.initiatives.states import InitiativeState, OrganiserRole
from abs_platform.slugs import slugify
from abs_platform.users import Role, User

# Made once, because every page of somebody who is signed in begins with it.
_ROLES = (
    select(func.array_agg(StaffRole.role))
    .where(StaffRole.account_id == Account.id, StaffRole.ended_at.is_(None))
    .scalar_subquery()
)
# Correlated by name: left to itself this subquery brings all accounts along, and everybody stands in for everybody.
_STANDS_IN_FOR = (
    select(Absence.account_id)
    .where(
        Absence.stand_in_id == Account.id,
        Absence.starts_on <= bindparam("today"),
        Absence.ends_on >= bindparam("today"),
    )
    .correlate(Account)
)
_OWN_DESKS = (
    select(func.array_agg(DeskAssignment.area_id)).where(DeskAssignment.account_id == Account.id).scalar_subquery()
)
_ALL_DESKS = (
    select(func.array_agg(DeskAssignment.area_id))
    .where((DeskAssignment.account_id == Account.id) | DeskAssignment.account_id.in_(_STANDS_IN_FOR))
    .correlate(Account)
    .scalar_subquery()
)
_USER: Select[Any] = (
    select(
        AccountSession.id,
        AccountSession.second_factor_at,
        Account.id,
        Account.email,
        Account.name,
        _ROLES,
        _OWN_DESKS,
        _ALL_DESKS,
    )
    .join(Account, Account.id == AccountSession.account_id)
    .where(
        AccountSession.token_digest == bindparam("token_digest"),
        AccountSession.ended_at.is_(None),
        AccountSession.expires_at > bindparam("now"),
        Account.deleted_at.is_(None),
    )
)


def user_of_session(session: Session, token: str, token_digest: bytes, *, now: dt.datetime) -> User | None:
    """Who is signed in with this session, or None when it has ended. One query."""
    moment = {"token_digest": token_digest, "now": now, "today": local_date(now)}
    row = session.execute(_USER, moment).first()
    if row is None:
        return None
    session_id, second_factor_at, account_id, email, name, roles, own, desks = row
    return User(
        account_id=account_id,
        email=email,
        name=name,
        roles=frozenset(Role(role) for role in roles or ()),
        own_area_ids=frozenset(own or ()),
        desk_area_ids=frozenset(desks or ()),
        has_second_factor=second_factor_at is not None,
        session_id=session_id,
        session_token=token,
    )


def is_from_municipality(session: Session, session_id: int) -> bool:
    """Whether somebody signed in at the municipality, and not by mail."""
    return session.scalar(select(AccountSession.method).where(AccountSession.id == session_id)) == "oidc"


def names_of(session: Session, account_ids: Iterable[int]) -> dict[int, str]:
    """How the accounts with these numbers are called; who deleted the account has no name. One query."""
    wanted = set(account_ids)
    if not wanted:
        return {}
    rows = session.execute(select(Account.id, Account.name, Account.email).where(Account.id.in_(wanted)))
    return {row.id: row.name or (row.email or "").partition("@")[0] for row in rows}


def id_of_email(session: Session, email: str) -> int | None:
    """The account with this e-mail address, as we keep it, or None."""
    return session.scalar(select(Account.id).where(Account.email == email))


def email_of(session: Session, account_id: int) -> str | None:
    """Where mail for this account goes, or None when it was deleted."""
    return session.scalar(select(Account.email).where(Account.id == account_id))


def verified_address(session: Session, account_id: int) -> VerifiedAddress | None:
    """The address whose letter this account had in its hands, or None."""
    return session.get(VerifiedAddress, account_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnInitiative:
    """An initiative on the page of one of its organisers. ``is_confirmed``: whether this person said yes."""

    id: int
    slug: str
    title: str
    state: InitiativeState
    role: OrganiserRole
    is_confirmed: bool
    is_public: bool
    submitted_at: dt.datetime | None

    @property
    def is_living(self) -> bool:
        """Whether something can still happen with it."""
        return self.state in LIVING_STATES

    @property
    def is_being_written(self) -> bool:
        """Whether the next step is with its organisers, in the steps of writing."""
        return self.state in EDITABLE_STATES


def own_initiatives(session: Session, account_id: int, email: str) -> list[OwnInitiative]:
    """What this person organises or was asked for, in every state: what lives first, the newest of those first."""
    rows = session.execute(
        select(Initiative, Organiser.role, Organiser.confirmed_at)
        .join(Organiser, Organiser.initiative_id == Initiative.id)
        .where(
            or_(Organiser.account_id == account_id, Organiser.email == email),
            Organiser.declined_at.is_(None),
            Organiser.forgotten_at.is_(None),
        )
        .order_by(Initiative.created_at.desc(), Initiative.id.desc())
    )
    found = [
        OwnInitiative(
            id=initiative.id,
            slug=slugify(initiative.title) or "initiatief",
            title=initiative.title,
            state=InitiativeState(initiative.state),
            role=OrganiserRole(role),
            is_confirmed=confirmed_at is not None,
            is_public=initiative.published_at is not None,
            submitted_at=initiative.submitted_at,
        )
        for initiative, role, confirmed_at in rows
    ]
    return sorted(found, key=lambda one: not one.is_living)


def sign_in_request(session: Session, request_id: int) -> SignInRequest | None:
    """A mail to sign in with, or None when it was forgotten."""
    return session.get(SignInRequest, request_id)


def sign_in_request_of_link(session: Session, token_digest: bytes) -> SignInRequest | None:
    """The mail with this link, or None."""
    return session.scalar(select(SignInRequest).where(SignInRequest.token_digest == token_digest))


def sessions_of(session: Session, account_id: int, *, now: dt.datetime) -> list[AccountSession]:
    """The browsers in which somebody is signed in, the newest first."""
    living = AccountSession.ended_at.is_(None) & (AccountSession.expires_at > now)
    query = select(AccountSession).where(AccountSession.account_id == account_id, living)
    return list(session.scalars(query.order_by(AccountSession.started_at.desc(), AccountSession.id.desc())))


def district_managers(session: Session, area_id: int, today: dt.date) -> list[tuple[int, str, str]]:
    """Who works at a desk today: (account_id, e-mail, name), without who is absent and with who stands in."""
    absent = (Absence.starts_on <= today) & (Absence.ends_on >= today)
    own = select(DeskAssignment.account_id).where(DeskAssignment.area_id == area_id)
    away = select(Absence.account_id).where(absent)
    standing_in = select(Absence.stand_in_id).where(absent, Absence.account_id.in_(own))
    rows = session.execute(
        select(Account.id, Account.email, Account.name)
        .join(StaffRole, StaffRole.account_id == Account.id)
        .where(
            StaffRole.role == Role.DISTRICT_MANAGER.value,
            StaffRole.ended_at.is_(None),
            Account.deleted_at.is_(None),
            (Account.id.in_(own) & Account.id.not_in(away)) | Account.id.in_(standing_in),
        )
        .order_by(Account.id)
    )
    return [(row.id, row.email or "", row.name) for row in rows]


def holders_of(session: Session, role: Role) -> list[tuple[int, str, str]]:
    """Who has a role now: (account_id, e-mail, name)."""
    rows = session.execute(
        select(Account.id, Account.email, Account.name)
        .join(StaffRole, StaffRole.account_id == Account.id)
        .where(StaffRole.role == role.value, StaffRole.ended_at.is_(None), Account.deleted_at.is_(None))
        .order_by(Account.id)
    )
    return [(row.id, row.email or "", row.name) for row in rows]
