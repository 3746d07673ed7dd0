# SPDX-License-Identifier: EUPL-1.2
"""What is in somebody's mailbox, as far as it is about signing in; and signing in with it, as people do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.outbox import OutgoingMail
from tests.page import Browser, Page

LINK = re.compile(r"https?://[^/\s]+((?:/en)?/inloggen/link/[\w-]+)")


@dataclass(frozen=True, slots=True)
class SignInMail:
    """The two ways in that a mail holds."""

    code: str
    link: str

    @property
    def wrong_code(self) -> str:
        """Six digits that are not those of this mail."""
        return f"{(int(self.code) + 1) % 1_000_000:06d}"


def mails_to(session: Session, email: str) -> list[OutgoingMail]:
    """All mails to somebody, oldest first."""
    query = select(OutgoingMail).where(OutgoingMail.recipient == email).order_by(OutgoingMail.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def newest_mail(session: Session, email: str) -> SignInMail:
    """The newest mail to sign in with."""
    text = mails_to(session, email)[-1].text_body or ""
    code, link = re.search(r"^(\d{6})$", text, re.MULTILINE), LINK.search(text)
    assert code
    assert link
    return SignInMail(code[1], link[1])


def ask(browser: Browser, email: str, path: str = "/inloggen") -> Page:
    """Ask for a mail; returns the page that asks for its code."""
    return browser.submit(browser.get(path), "/inloggen", email=email)


def sign_in(browser: Browser, session: Session, email: str) -> Browser:
    """Sign in with the code of a mail."""
    page = ask(browser, email)
    response = browser.send(page, "/inloggen/code", code=newest_mail(session, email).code)
    assert response.status_code == 303
    return browser
