# SPDX-License-Identifier: EUPL-1.2
"""A member of staff with an app on a phone, as the tests of second steps need one."""

from __future__ import annotations

import contextvars
import datetime as dt
from typing import Any

import pyotp
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from abs_platform import clock
from abs_platform.accounts import app_codes
from abs_platform.accounts.models import Account, AccountSession, TotpDevice
from abs_platform.accounts.queries import user_of_session
from abs_platform.accounts.second_factor import make_recovery_codes
from abs_platform.accounts.service import digest
from abs_platform.events import Event
from abs_platform.users import Role, User
from tests.accounts.mailbox import mails_to
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.page import Browser, Page

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ASK, SET_UP = "/inloggen/tweede-stap", "/account/tweede-stap"
DESK = "/regie/afwezigheid"


def district_manager(factory: Factory, *, has_app: bool = True, email: str | None = None) -> Account:
    """A wijkregisseur; with the app of ``SECRET``."""
    account = factory.account(email, name="Rina", roles=(Role.DISTRICT_MANAGER,), desks=("WK014119",))
    if has_app:
        add_app(factory.session, account)
    return account


def add_app(session: Session, account: Account, secret: str = SECRET, secret_key: str = SECRET_KEY) -> None:
    """An app that was set up before."""
    sealed = app_codes.seal(secret_key, account.id, secret)
    session.add(TotpDevice(account_id=account.id, secret=sealed, added_at=clock.now()))
    session.flush()


def code(secret: str = SECRET, *, steps: int = 0) -> str:
    """What the app shows now, or so many steps later."""
    return pyotp.TOTP(secret).at(clock.now(), counter_offset=steps)


def wrong_code(secret: str = SECRET) -> str:
    """Six digits that the app does not show around now."""
    near = {code(secret, steps=steps) for steps in range(-3, 4)}
    return next(digits for number in range(10) if (digits := f"{number:06d}") not in near)


def enter(browser: Browser, factory: Factory, account: Account, *, has_second_factor: bool = False) -> str:
    """Sign in, with or without the second step; returns the token of the session."""
    token = factory.session_of(account, has_second_factor=has_second_factor)
    factory.session.commit()
    browser.sign_in(token)
    return token


def user_of(session: Session, token: str) -> User | None:
    """Whose session this is now."""
    session.expire_all()
    user = user_of_session(session, token, digest(SECRET_KEY, "session", token), now=clock.now())
    session.commit()  # the app nests its savepoints in the one that is open
    return user


def signed_in(session: Session, token: str) -> User:
    """Who is signed in with this session."""
    user = user_of(session, token)
    assert user is not None
    return user


def token_of(browser: Browser) -> str:
    """The token in the cookie of a browser."""
    with browser.client.session_transaction() as cookie:
        return str(cookie["_user_id"])


def recovery_codes(factory: Factory, account: Account) -> list[str]:
    """Ten codes, as they were shown once."""
    user = signed_in(factory.session, factory.session_of(account))
    return make_recovery_codes(factory.session, user, actor=TEST_ACTOR, now=factory.now)


def age_session(session: Session, token: str, by: dt.timedelta) -> None:
    """Let a session have begun, and its second step been given, so much earlier."""
    row = session.scalars(
        select(AccountSession).where(AccountSession.token_digest == digest(SECRET_KEY, "session", token))
    ).one()
    row.started_at -= by
    if row.second_factor_at is not None:
        row.second_factor_at -= by
    session.commit()


def verbs_of(session: Session, account: Account) -> list[str]:
    """What the log says of an account, oldest first."""
    session.expire_all()
    query = select(Event.kind).where(Event.subject == "account", Event.subject_id == account.id).order_by(Event.id)
    return [kind.removeprefix("account.") for kind in session.scalars(query)]


def changes_mailed(session: Session, account: Account) -> list[str]:
    """The mails about second steps that somebody got."""
    mails = mails_to(session, account.email or "")
    return [mail.text_body or "" for mail in mails if mail.subject == "Je tweede stap is veranderd"]


def count(session: Session, model: type) -> int:
    """How many rows there are."""
    session.expire_all()
    return session.scalar(select(func.count()).select_from(model)) or 0


def fetch(browser: Browser, path: str, method: str = "GET", **options: Any) -> TestResponse:
    """One request of this browser, in a context of its own; follows nothing."""
    return contextvars.Context().run(browser.client.open, path, method=method, **options)


def give(browser: Browser, field: str = "code", **values: str) -> TestResponse:
    """Send the form with this field of the page that asks for a second step, and follow nothing."""
    page = browser.get(ASK)
    return browser.send(page, ASK if field == "code" else f"{ASK}/herstelcode", **values)


def errors_of(page: Page) -> str:
    """What the error summary says."""
    return " ".join(one.to_text() for one in page.all(".abs-error-summary li")).strip()
