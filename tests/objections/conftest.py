# SPDX-License-Identifier: EUPL-1.2
"""A voucher that somebody else gave, and the people around it, in a transaction that is rolled back."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Connection

from tests.factories import Factory
from tests.objections.stolen import Stolen
from tests.people import People


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    """Who opens pages."""
    assert connection
    return People(app, factory)


@pytest.fixture
def stolen(factory: Factory) -> Stolen:
    """A voucher that its household did not give itself."""
    return Stolen(factory, factory.initiative(title="Een pluktuin aan de Westeres"))
