# SPDX-License-Identifier: EUPL-1.2
"""The people of a payout, in a transaction that is rolled back."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Connection

from tests.factories import Factory
from tests.payouts.three_people import Paying


@pytest.fixture
def paying(app: Flask, factory: Factory, connection: Connection) -> Paying:
    """Everybody whom a payout needs."""
    assert connection
    return Paying(app, factory)
