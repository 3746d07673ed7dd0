# SPDX-License-Identifier: EUPL-1.2
"""A client of the API."""

import pytest
from flask import Flask
from sqlalchemy import Connection

from tests.api.client import ApiClient


@pytest.fixture
def api(app: Flask, connection: Connection) -> ApiClient:
    """A client on the database of this test."""
    return ApiClient(app)
