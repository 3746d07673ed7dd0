# SPDX-License-Identifier: EUPL-1.2
"""Signing in by e-mail: one mail with a link and a code, ten minutes, once, for the browser that asked."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import attempts, events, outbox
from abs_platform.accounts.browsers import browser_of
from abs_platform.accounts.models import Account, AccountSession, SignInRequest, StaffRole
from abs_platform.accounts.states import (
    CODE_TRIES,
    DAY,
    MAILS_PER_ADDRESS,
    MAILS_PER_ADDRESS_A_DAY,
    MAILS_PER_CLIENT,
    REQUEST_KEPT,
    REQUEST_VALID,
    RESIDENT_SESSION,
    SESSION_KEPT,
    STAFF_SESSION,
    WINDOW,
    Refusal,
)
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, NotFound
from abs_platform.initiatives.organisers import recognise
from abs_platform.languages import DEFAULT
from abs_platform.mail_server import read_address

_GUARD = Actor("job", "sign_in")


@dataclass(frozen=True, slots=True)
class Asked:
    """A sign-in that was asked for."""

    request_id: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: its token goes into the cookie and is kept nowhere else. ``is_new``: the account was just made."""

    account_id: int
    token: str
    next_path: str
    is_new: bool


def digest(secret_key: str, purpose: str, value: str) -> bytes:
    """A keyed digest of something secret; the purpose keeps one kind from being taken for another."""
    return hmac.digest(f"{purpose}:{secret_key}".encode(), value.encode(), hashlib.sha256)


def ask_to_sign_in(
    session: Session,
    email: str,
    browser: str,
    *,
    client: bytes,
    next_path: str,
    secret_key: str,
    now: dt.datetime,
    language: str = DEFAULT,
) -> Asked:
    """Mail a link and a code, in the language of who asks.

    Known and unknown addresses take the very same road: an account is made at signing in.

    ``browser`` is the random secret in the cookie of the browser that asks.
    Raises: TooManyAttempts; ValueError when it is no e-mail address.
    """
    email = read_address(email)
    # By the hour for one client and one address, so that one stranger cannot keep somebody out by asking too often.
    address_key, pair_key = attempts.digest(secret_key, email), attempts.digest(secret_key, f"{client.hex()} {email}")
    attempts.claim(session, "sign_in.client", client, most=MAILS_PER_CLIENT, window=WINDOW, now=now)
    attempts.claim(session, "sign_in.address", pair_key, most=MAILS_PER_ADDRESS, window=WINDOW, now=now)
    attempts.claim(session, "sign_in.day", address_key, most=MAILS_PER_ADDRESS_A_DAY, window=DAY, now=now)
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(1_000_000):06d}"
    request = SignInRequest(
        email=email,
        token_digest=digest(secret_key, "sign-in link", token),
        code_digest=b"",
        browser_digest=digest(secret_key, "sign-in browser", browser),
        next_path=next_path,
        requested_at=now,
        expires_at=now + REQUEST_VALID,
    )
    session.add(request)
    session.flush()
    request.code_digest = _code_digest(secret_key, request.id, code)
    outbox.queue(
        session,
        "sign_in",
        to=email,
        event=f"sign-in:{request.id}",
        now=now,
        is_secret=True,
        language=language,
        code=code,
        token=token,
        minutes=REQUEST_VALID.seconds // 60,
    )
    return Asked(request.id)


def _code_digest(secret_key: str, request_id: int, code: str) -> bytes:
    return digest(secret_key, f"sign-in code {request_id}", code)


def sign_in_by_link(
    session: Session, token: str, browser: str, *, user_agent: str, secret_key: str, now: dt.datetime
) -> SignedIn | Refusal:
    """Use the link of the mail, in the browser that asked.

    Locks: the request, so that two tries at once are one; then the account.
    """
    request = session.scalar(
        select(SignInRequest)
        .where(SignInRequest.token_digest == digest(secret_key, "sign-in link", token))
        .with_for_update()
    )
    if request is None:
        return Refusal.UNKNOWN
    refused = why_refused(request, browser, secret_key, now)
    return refused or _complete(session, request, user_agent=user_agent, secret_key=secret_key, now=now)


def sign_in_by_code(
    session: Session, request_id: int, code: str, browser: str, *, user_agent: str, secret_key: str, now: dt.datetime
) -> SignedIn | Refusal:
    """Use the code of the mail; after five wrong ones the mail is worth nothing.

    A refusal is returned and not raised, so that the wrong try is committed.

    Locks: the request, then the account.
    """
    request = session.get(SignInRequest, request_id, with_for_update=True, populate_existing=True)
    if request is None:
        return Refusal.UNKNOWN
    if refused := why_refused(request, browser, secret_key, now):
        return refused
    if not hmac.compare_digest(request.code_digest, _code_digest(secret_key, request.id, code)):
        request.failed_count += 1
        session.flush()
        return Refusal.WRONG_CODE if request.failed_count < CODE_TRIES else Refusal.TOO_MANY
    return _complete(session, request, user_agent=user_agent, secret_key=secret_key, now=now)


def why_refused(request: SignInRequest, browser: str, secret_key: str, now: dt.datetime) -> Refusal | None:
    """Why this mail signs nobody in, in this browser; None when it does. Another browser learns only that it is one."""
    if not hmac.compare_digest(request.browser_digest, digest(secret_key, "sign-in browser", browser)):
        is_over = request.used_at is not None or now >= request.expires_at or request.failed_count >= CODE_TRIES
        return Refusal.UNKNOWN if is_over else Refusal.OTHER_BROWSER
    if request.used_at is not None:
        return Refusal.USED
    if request.failed_count >= CODE_TRIES:
        return Refusal.TOO_MANY
    return Refusal.EXPIRED if now >= request.expires_at else None


def _complete(
    session: Session, request: SignInRequest, *, user_agent: str, secret_key: str, now: dt.datetime
) -> SignedIn:
    request.used_at = now
    account = account_of_email(session, request.email, now=now)
    recognise(session, account.id, request.email)
    token = start_session(
        session, account, method="email", user_agent=user_agent, secret_key=secret_key, has_second_factor=False, now=now
    )
    return SignedIn(account.id, token, request.next_path, is_new=account.created_at == now)


def account_of_email(session: Session, email: str, *, now: dt.datetime) -> Account:
    """The account of this e-mail address, made when it is new. Two at once make one.

    Locks: the account, so that it cannot be deleted before this transaction ends; one that just was is made anew.
    """
    by_email = select(Account).where(Account.email == email.lower()).with_for_update(read=True, key_share=True)
    while True:
        made = session.scalar(
            insert(Account)
            .values(email=email.lower(), created_at=now)
            .on_conflict_do_nothing(index_elements=["email"])
            .returning(Account.id)
        )
        if made is not None:
            events.record(session, "account.created", made, actor=_GUARD, now=now)
        account = session.scalar(by_email.execution_options(populate_existing=True))
        if account is not None:
            return account


def start_session(
    session: Session,
    account: Account,
    *,
    method: str,
    user_agent: str,
    secret_key: str,
    has_second_factor: bool,
    now: dt.datetime,
) -> str:
    """A new session of an account; returns its token. Staff sign in again every day."""
    is_staff = session.scalar(
        select(func.count()).where(StaffRole.account_id == account.id, StaffRole.ended_at.is_(None))
    )
    token = secrets.token_urlsafe(32)
    session.add(
        AccountSession(
            account_id=account.id,
            token_digest=digest(secret_key, "session", token),
            method=method,
            browser=browser_of(user_agent),
            started_at=now,
            expires_at=now + (STAFF_SESSION if is_staff else RESIDENT_SESSION),
            second_factor_at=now if has_second_factor else None,
        )
    )
    session.flush()
    return token


def end_session(session: Session, account_id: int, session_id: int, *, now: dt.datetime) -> None:
    """Sign a browser out. Raises: NotFound when it is not a session of this account."""
    ended = session.get(AccountSession, session_id, with_for_update=True)
    if ended is None or ended.account_id != account_id:
        raise NotFound(_("Dit apparaat staat niet (meer) in je lijst."))
    if ended.ended_at is None:
        ended.ended_at = now


def end_sessions(session: Session, account_id: int, *, now: dt.datetime, but: int | None = None) -> int:
    """Sign all browsers of an account out, but for one if that is given; returns how many."""
    result = session.execute(
        update(AccountSession)
        .where(
            AccountSession.account_id == account_id,
            AccountSession.ended_at.is_(None),
            AccountSession.id != (but if but is not None else 0),
        )
        .values(ended_at=now)
    )
    return int(getattr(result, "rowcount", 0))


def purge(session: Session, now: dt.datetime) -> int:
    """Forget mails to sign in with of days ago, and sessions that ended a month ago; returns how many."""
    requests = delete(SignInRequest).where(SignInRequest.expires_at < now - REQUEST_KEPT)
    long_ago = now - SESSION_KEPT
    sessions = delete(AccountSession).where(
        or_(AccountSession.ended_at < long_ago, AccountSession.expires_at < long_ago)
    )
    return sum(int(getattr(session.execute(query), "rowcount", 0)) for query in (requests, sessions))


def change_name(session: Session, account_id: int, name: str) -> None:
    """How others see this person. Raises: Conflict when the account was deleted meanwhile."""
    account = session.get(Account, account_id, with_for_update=True)
    if account is None or account.deleted_at is not None:
        raise Conflict(_("Dit account bestaat niet meer."))
    account.name = name.strip()
