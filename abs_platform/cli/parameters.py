# SPDX-License-Identifier: EUPL-1.2
"""What the commands share: who acts, dates and amounts as they are typed, and a counter on a terminal."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.database import db
from abs_platform.money import parse_euros
from abs_platform.rounds.queries import find_round


def actor() -> Actor:
    """The command that runs, as it stands in the event log."""
    context = click.get_current_context()
    return Actor("command", context.command_path)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int], None]]:
    """A counter on a terminal, and silence elsewhere."""
    done = 0

    def advance(step: int) -> None:
        nonlocal done
        done += step
        if sys.stderr.isatty():
            click.echo(f"\r{label}: {done:,}".replace(",", "."), nl=False, err=True)

    yield advance
    if done and sys.stderr.isatty():
        click.echo(err=True)


def round_id_of(name: str) -> int:
    """The round with this name or number. Raises: BadParameter."""
    round_id = find_round(db.session(), name)
    if round_id is None:
        raise click.BadParameter(f"geen ronde met naam of nummer '{name}'. Kijk met: abs rounds list")
    return round_id


class Moment(click.ParamType[dt.datetime]):
    """A day or a moment in Amsterdam; as an end, a day counts whole."""

    name = "datum"

    def __init__(self, *, is_end: bool = False) -> None:
        self.is_end = is_end

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        if isinstance(value, dt.datetime):
            return value
        try:
            moment = clock.parse_local(value)
            return clock.end_of_day(dt.date.fromisoformat(value)) if self.is_end and "T" not in value else moment
        except (ValueError, OverflowError):
            self.fail(f"'{value}' is geen datum of tijd zoals 2026-11-22 of 2026-11-22T09:00.", param, ctx)


class Euros(click.ParamType[int]):
    """An amount, as cents."""

    name = "bedrag"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_euros(value)
        except ValueError:
            self.fail(f"'{value}' is geen bedrag zoals 7,50.", param, ctx)
