# SPDX-License-Identifier: EUPL-1.2
"""Money for the tests of the public books."""

from __future__ import annotations

import pytest

from tests.cashbook.town import Money
from tests.factories import Factory


@pytest.fixture
def money(factory: Factory) -> Money:
    """Books what happens to money."""
    return Money(factory)
