# SPDX-License-Identifier: EUPL-1.2
"""Ties Flask-Login to our sessions: the cookie holds a token, the database says whose it is and whether it ended."""

from __future__ import annotations

from flask import Flask, current_app, session, url_for
from flask_login import login_user
from sqlalchemy.exc import OperationalError

from abs_platform import clock
from abs_platform.accounts.queries import user_of_session
from abs_platform.accounts.service import digest
from abs_platform.database import db
from abs_platform.extensions import login_manager
from abs_platform.security import SEEN_AT, user_or_none
from abs_platform.users import User

MAX_TOKEN = 100


def user_of_token(token: str) -> User | None:
    """Whose session this is, or None when it has ended."""
    if not token.isascii() or len(token) > MAX_TOKEN:
        return None
    secret_key = current_app.extensions["settings"].secret_key
    return user_of_session(db.session(), token, digest(secret_key, "session", token), now=clock.now())


def sign_in_browser(token: str) -> None:
    """Put a new session into the cookie of this browser. What was in the cookie before is gone (session fixation)."""
    session.clear()
    session.permanent = True
    session[SEEN_AT] = int(clock.now().timestamp())
    user = user_of_token(token)
    if user is not None:
        login_user(user)


def landing() -> str:
    """Where somebody goes after signing in who was going nowhere: finance to its desk, others to the own account."""
    user = user_or_none()
    return url_for("finance.index" if user is not None and user.is_finance else "accounts.home")


def viewer() -> User | None:
    """Who looks at this page, for its header; nobody when the database does not answer: a page of errors needs none."""
    try:
        return user_or_none()
    except OperationalError:
        return None


def init_app(app: Flask) -> None:
    """Tell Flask-Login how to find who is signed in, and pages how to ask."""
    login_manager.init_app(app, add_context_processor=False)  # that one asks the database for every page
    app.jinja_env.globals["viewer"] = viewer
    login_manager.session_protection = None  # our sessions end in the database; an address may change on a phone
    login_manager.user_loader(user_of_token)
