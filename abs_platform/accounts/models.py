# SPDX-License-Identifier: EUPL-1.2
"""Accounts, how they sign in, their sessions, and what staff may do."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.users import Role


class Account(Base):
    """Somebody who signed in once. A deleted account keeps its number and loses its name and e-mail address."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_in_lower_case"),
        CheckConstraint("(email IS NULL) = (deleted_at IS NOT NULL)", name="email_until_deleted"),
        CheckConstraint("deleted_at IS NULL OR name = ''", name="no_name_when_deleted"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[dt.datetime]
    deleted_at: Mapped[dt.datetime | None]


class SignInRequest(Base):
    """One mail with a link and a code: ten minutes, once, for the browser that asked. Only keyed digests are kept."""

    __tablename__ = "sign_in_requests"
    __table_args__ = (
        CheckConstraint("failed_count >= 0", name="failed_count_not_negative"),
        Index(None, "expires_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    email: Mapped[str]
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    code_digest: Mapped[bytes]
    browser_digest: Mapped[bytes]
    next_path: Mapped[str] = mapped_column(server_default="")
    requested_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    failed_count: Mapped[int] = mapped_column(server_default="0")


class AccountSession(Base):
    """One browser that is signed in. The cookie holds its token; only a digest of it is kept here."""

    __tablename__ = "account_sessions"
    __table_args__ = (
        CheckConstraint("method IN ('email', 'oidc')", name="method_known"),
        Index(None, "expires_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    method: Mapped[str]
    browser: Mapped[str] = mapped_column(server_default="")
    started_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    second_factor_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]


# An account as a range, because this PostgreSQL can exclude ranges only.
_ONE_ACCOUNT = text("int8range(account_id, account_id, '[]')")


class StaffRole(Base):
    """A role of an account, from one moment to another. Roles are ended, never deleted.

    Finance stands beside no other role (design.md section 6): its range touches that of the others.
    """

    __tablename__ = "staff_roles"
    __table_args__ = (
        CheckConstraint(f"role IN {in_list(Role)}", name="role_known"),
        Index("uq_staff_roles_one_living", "account_id", "role", unique=True, postgresql_where="ended_at IS NULL"),
        ExcludeConstraint(
            (_ONE_ACCOUNT, "&&"),
            (text("(CASE role WHEN 'finance' THEN int4range(0, 1) ELSE int4range(1, 2) END)"), "-|-"),
            where=text("ended_at IS NULL"),
            name="ex_staff_roles_finance_alone",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    role: Mapped[str]
    granted_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class DeskAssignment(Base):
    """The desk of a district, or of the whole city, that a wijkregisseur works at."""

    __tablename__ = "desk_assignments"
    __table_args__ = (UniqueConstraint("account_id", "area_id"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)


class Absence(Base):
    """Days on which a stand-in takes over a wijkregisseur's desks by itself, both ends included."""

    __tablename__ = "absences"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("stand_in_id <> account_id", name="stand_in_is_another"),
        ExcludeConstraint(
            (_ONE_ACCOUNT, "&&"),
            (text("daterange(starts_on, ends_on, '[]')"), "&&"),
            name="ex_absences_one_at_a_time",
        ),
        Index(None, "stand_in_id", "ends_on"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    stand_in_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]


class TotpDevice(Base):
    """An authenticator app. The secret is encrypted; ``last_step`` refuses a code that was used already."""

    __tablename__ = "totp_devices"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    secret: Mapped[bytes]
    added_at: Mapped[dt.datetime]
    last_step: Mapped[int] = mapped_column(server_default="0")


class Passkey(Base):
    """A passkey (WebAuthn) of a member of staff."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    name: Mapped[str]
    added_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class RecoveryCode(Base):
    """A code for when phone and key are gone; each works once, and only a digest is kept.

    The digest is keyed with the account and not with the key of the app: these codes must outlive a change of that key.
    With 80 random bits nobody finds a code by trying.
    """

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("account_id", "code_digest"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    code_digest: Mapped[bytes]
    used_at: Mapped[dt.datetime | None]


class OidcIdentity(Base):
    """Who an account is at the municipality's own sign-in (OpenID Connect)."""

    __tablename__ = "oidc_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]


class VerifiedAddress(Base):
    """An account that had the letter of an address in its hands ("this letter came to my own address").

    It holds no household and no voucher, so that nothing leads from a person to a gift (rule 11).
    """

    __tablename__ = "verified_addresses"
    __table_args__ = (CheckConstraint("postcode ~ '^[1-9][0-9]{3}[A-Z]{2}$'", name="postcode_form"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("areas.id"))
    postcode: Mapped[str]
    house_number: Mapped[str]
    verified_at: Mapped[dt.datetime]
