# SPDX-License-Identifier: EUPL-1.2
"""What the API says of itself is what it does, whatever it is sent."""

from __future__ import annotations

import contextvars
from collections import Counter
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.factories import Factory

EXAMPLES = 25
STEADY = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(
    ("operation_id", "statuses"),
    [("GET /api/v1/initiatives", {200, 400}), ("POST /api/v1/voucher-donations", {400, 415})],
)
def test_every_answer_is_as_described(
    app: Flask, factory: Factory, operation_id: str, statuses: set[int], mode: GenerationMode
) -> None:
    factory.initiative()
    factory.session.commit()
    method, path = operation_id.split()
    answered: Counter[int] = Counter()

    def try_all() -> None:
        operation = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)[path][method]

        @STEADY
        @given(case=operation.as_strategy(generation_mode=mode))
        def try_it(case: schemathesis.Case[Any]) -> None:
            # Not that all good data is taken: no schema can tell a code from any other text.
            answered[case.call_and_validate(excluded_checks=[positive_data_acceptance]).status_code] += 1

        try_it()

    contextvars.Context().run(try_all)
    assert answered.total() >= EXAMPLES // 2
    assert set(answered) <= statuses
