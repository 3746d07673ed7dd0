# SPDX-License-Identifier: EUPL-1.2
"""People around a desk: wijkregisseurs of two districts, a coordinator, finance, organisers and a stranger."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.factories import Factory
from tests.moderation.people import Desk
from tests.page import Browser


@pytest.fixture
def desk(app: Flask, factory: Factory, browser_client: Browser) -> Desk:
    """The desk of Windmolenbroek, and everybody who may come near it."""
    return Desk(app, factory, browser_client)
