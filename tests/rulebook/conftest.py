# SPDX-License-Identifier: EUPL-1.2
"""A coordinator who is signed in, and the rules check of the municipality in the tables."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.rulebook.loading import load_file
from abs_platform.rulebook.queries import Rulebook, load_rulebook
from abs_platform.users import Role
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser


@pytest.fixture
def rulebook(app: Flask, session: Session) -> Rulebook:
    """The municipality's own rules, loaded."""
    town = app.extensions["settings"].municipality
    load_file(session, town.rulebook_toml, town, actor=TEST_ACTOR, now=clock.now())
    session.commit()
    return load_rulebook(session)


@pytest.fixture
def coordinator(session: Session, factory: Factory, browser_client: Browser) -> Browser:
    """The browser of a coordinator."""
    token = factory.session_of(factory.account(roles=(Role.COORDINATOR,)))
    session.commit()
    return browser_client.sign_in(token)
