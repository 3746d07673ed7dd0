# SPDX-License-Identifier: EUPL-1.2
"""Money in, back and out at random: gifts, banks, jobs, people, trouble and deaths, and the proof after each step.

Here it takes at least 10,000 steps, always the same ones. ``ABS_MONEY_STEPS=40000 bin/test tests/money`` takes more,
others each time, and prints the ABS_MONEY_SEED that takes the same. A failure prints the fewest steps to it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from itertools import count

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import get_state_machine_test
from sqlalchemy import Connection

from tests.factories import Factory
from tests.money.ending import Money
from tests.money.world import World

MORE, SEED = "ABS_MONEY_STEPS", "ABS_MONEY_SEED"
STEPS = 10_000
PARTS = 4  # of the same size, so that workers share them
STEPS_AN_EXAMPLE = 100


@pytest.fixture
def world(app: Flask, connection: Connection, factory: Factory, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(app, connection, factory, monkeypatch)
    made.make()
    yield made
    made.unmake()


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_the_books_are_right_and_all_sides_agree_in_the_end(world: World, part: int) -> None:
    wanted = -(-int(os.environ.get(MORE, STEPS)) // PARTS)
    chosen = int(os.environ.get(SEED, secrets.randbelow(10**9) if MORE in os.environ else 4))
    print(f"{SEED}={chosen}")
    machine = type("Played", (Money,), {"world": world, "steps": 0})
    how = settings(
        max_examples=10,
        stateful_step_count=STEPS_AN_EXAMPLE,
        database=None,
        deadline=None,
        # Finding the fewest steps takes minutes: CI says what broke, and a run at home says how little it takes.
        phases=(Phase.generate,) if "CI" in os.environ else (Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )

    for number in count(chosen * PARTS * 1_000 + part * 1_000):
        seed(number)(get_state_machine_test(machine, settings=how))()
        if machine.steps >= wanted:  # type: ignore[attr-defined]
            break
