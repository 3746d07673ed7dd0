# SPDX-License-Identifier: EUPL-1.2
"""Who can be tried out in the demo: staff with a second step, organisers in each state, and residents who help."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pyotp
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from abs_platform.accounts import app_codes
from abs_platform.accounts.models import Account, DeskAssignment, StaffRole, TotpDevice
from abs_platform.accounts.service import account_of_email
from abs_platform.areas.queries import id_of_code
from abs_platform.donations.models import Donation
from abs_platform.donations.states import Channel, DonationState
from abs_platform.help_offers.models import HelpOffer
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState, OrganiserRole
from abs_platform.objections.models import Objection
from abs_platform.questions.models import Post
from abs_platform.questions.states import Voice
from abs_platform.rounds.queries import open_round
from abs_platform.users import Role
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.vouchers.models import KeptVoucher, Voucher

# An objection can be made for some days more.
LONG_AGO = dt.timedelta(days=5)


@dataclass(frozen=True, slots=True)
class DemoStaff:
    """A member of staff, and the code that her app would show now."""

    name: str
    email: str
    role: str
    code: str


@dataclass(frozen=True, slots=True)
class DemoOrganiser:
    """Somebody who began an initiative."""

    name: str
    email: str
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class DemoResident:
    """Somebody who asked something and offered help."""

    name: str
    email: str
    questions: int
    offers: int


@dataclass(frozen=True, slots=True)
class DemoKeeper:
    """Somebody who keeps vouchers."""

    name: str
    email: str
    vouchers: int


@dataclass(frozen=True, slots=True)
class DemoCodes:
    """Codes of letters: that can be given now, and one that an organiser entered a few days ago, or ""."""

    unused: list[str]
    given: str


def load_staff(session: Session, path: Path, *, secret_key: str, now: dt.datetime) -> None:
    """Make the staff of people.toml, each with a second step whose codes the demo shows."""
    for person in tomllib.loads(path.read_text(encoding="utf-8"))["person"]:
        account = account_of_email(session, person["email"], now=now)
        account.name = person["name"]
        secret = app_codes.seal(secret_key, account.id, pyotp.random_base32())
        session.add(TotpDevice(account_id=account.id, secret=secret, added_at=now))
        session.add_all(
            StaffRole(account_id=account.id, role=Role(role).value, granted_at=now) for role in person["roles"]
        )
        for code in person["desks"]:
            area_id = id_of_code(session, code)
            if area_id is None:
                raise LookupError(f"{person['name']}: no area {code}")
            session.add(DeskAssignment(account_id=account.id, area_id=area_id))


def demo_staff(session: Session, *, secret_key: str, now: dt.datetime) -> list[DemoStaff]:
    """Everybody with a role and an app, and what it shows now."""
    rows = session.execute(
        select(Account.id, Account.name, Account.email, StaffRole.role, TotpDevice.secret)
        .join(StaffRole, StaffRole.account_id == Account.id)
        .join(TotpDevice, TotpDevice.account_id == Account.id)
        .where(StaffRole.ended_at.is_(None), Account.deleted_at.is_(None))
        .order_by(Account.id)
    )
    found = []
    for account_id, name, email, role, sealed in rows:
        secret = app_codes.unseal(secret_key, account_id, sealed)
        if secret is not None:
            code = pyotp.TOTP(secret).at(now)
            found.append(DemoStaff(name, email or "", Role(role).label, f"{code[:3]} {code[3:]}"))
    return found


def demo_organisers(session: Session) -> list[DemoOrganiser]:
    """One initiator for each state of an initiative, the newest."""
    newest = (
        select(Initiative.state, Initiative.title, Organiser.name, Organiser.email)
        .join(Organiser, Organiser.initiative_id == Initiative.id)
        .where(Organiser.role == OrganiserRole.INITIATOR.value)
        .ext(distinct_on(Initiative.state))
        .order_by(Initiative.state, Initiative.id.desc())
    )
    found = {row.state: DemoOrganiser(row.name, row.email, row.title, "") for row in session.execute(newest)}
    return [
        DemoOrganiser(found[state].name, found[state].email, found[state].title, state.label)
        for state in InitiativeState
        if state in found
    ]


def demo_residents(session: Session, *, most: int) -> list[DemoResident]:
    """Some residents who both asked and offered, the busiest first."""
    asked = select(Post.author_id, func.count().label("number")).where(Post.voice == Voice.RESIDENT.value)
    asked_by = asked.group_by(Post.author_id).subquery()
    offered = select(HelpOffer.account_id, func.count().label("number")).group_by(HelpOffer.account_id).subquery()
    rows = session.execute(
        select(Account.name, Account.email, asked_by.c.number.label("questions"), offered.c.number.label("offers"))
        .join(asked_by, asked_by.c.author_id == Account.id)
        .join(offered, offered.c.account_id == Account.id)
        .where(Account.deleted_at.is_(None))
        .order_by((asked_by.c.number + offered.c.number).desc(), Account.id)
        .limit(most)
    )
    return [DemoResident(row.name, row.email or "", row.questions, row.offers) for row in rows]


def demo_keepers(session: Session, *, most: int) -> list[DemoKeeper]:
    """Who keeps most vouchers, also when their time is over."""
    rows = session.execute(
        select(Account.name, Account.email, func.count())
        .join(KeptVoucher, KeptVoucher.account_id == Account.id)
        .where(Account.deleted_at.is_(None))
        .group_by(Account.id)
        .order_by(func.count().desc(), Account.id)
        .limit(most)
    )
    return [DemoKeeper(name, email or "", count) for name, email, count in rows]


def demo_codes(session: Session, keys: CodeKeys, *, most: int, now: dt.datetime) -> DemoCodes:
    """Codes to try. Only the demo shows any: elsewhere they are on letters and nowhere else."""
    entered = (
        select(Voucher.nonce)
        .join(Donation, Donation.voucher_id == Voucher.id)
        .where(
            Donation.channel == Channel.ORGANISER.value,
            Donation.state == DonationState.CONFIRMED.value,
            Donation.given_at > now - LONG_AGO,
            ~select(Objection.id).where(Objection.donation_id == Donation.id).exists(),
        )
        .order_by(Donation.id.desc())
        .limit(1)
    )
    nonce = session.scalar(entered)
    return DemoCodes(unused_codes(session, keys, most, now), keys.code(nonce) if nonce else "")


def unused_codes(session: Session, keys: CodeKeys, count: int, now: dt.datetime) -> list[str]:
    """Some codes that can be given now."""
    found = open_round(session, now)
    from_open_round = (
        select(Voucher.nonce)
        .where(Voucher.state == "issued", Voucher.round_id == (None if found is None else found.id))
        .order_by(func.md5(func.concat(Voucher.id, "demo")))
        .limit(count)
    )
    return [keys.code(nonce) for nonce in session.scalars(from_open_round)]
