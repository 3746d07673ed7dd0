# SPDX-License-Identifier: EUPL-1.2
"""Bea, who works at the desk of a wijkcentrum, in a transaction that is rolled back."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Connection

from abs_platform.accounts.models import Account
from abs_platform.users import Role
from tests.factories import Factory
from tests.page import Browser
from tests.people import People


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    """Who opens pages."""
    assert connection
    return People(app, factory)


@pytest.fixture
def bea(factory: Factory) -> Account:
    """Her account."""
    return factory.account(name="Bea", roles=(Role.DESK,))


@pytest.fixture
def desk(people: People, bea: Account) -> Browser:
    """Her browser."""
    return people.browser(bea)
