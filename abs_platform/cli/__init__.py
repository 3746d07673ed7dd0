# SPDX-License-Identifier: EUPL-1.2
"""The ``abs`` command: thin commands over services and jobs. Exit status 0 only if all went well."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import FlaskGroup, with_appcontext

from abs_platform import clock, create_app, events, migrating
from abs_platform.actors import Actor
from abs_platform.areas.queries import list_areas
from abs_platform.areas.service import load_areas
from abs_platform.cli.addresses import areas_group, households_group
from abs_platform.cli.operations import db_group, events_group, jobs_group, ledger_group
from abs_platform.cli.rounds import rounds_group, vouchers_group
from abs_platform.config import ConfigurationError, Settings
from abs_platform.database import db, one_snapshot, transaction
from abs_platform.demo.cli import demo
from abs_platform.embedded import EmbeddedPostgresError
from abs_platform.errors import AbsError
from abs_platform.households.service import ImportReport, import_addresses
from abs_platform.ledger import queries as ledger
from abs_platform.money import format_euros, parse_euros
from abs_platform.rounds.queries import find_round, list_rounds
from abs_platform.rounds.service import plan_round
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.print_file import export
from abs_platform.vouchers.queries import batches_of
from jobs.runner import last_runs, run_job
from jobs.schedule import TIMETABLE


@click.group(cls=FlaskGroup, create_app=lambda: create_app(Settings.from_env()), add_default_commands=False)
def cli() -> None:
    """Het platform voor buurtgeld, van de opdrachtregel."""


def main() -> None:
    """Run a command; what goes wrong is one sentence on stderr and an exit status that is not 0."""
    try:
        cli.main(standalone_mode=False, prog_name="abs")
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Gestopt.", err=True)
        sys.exit(130)
    except AbsError as error:
        click.echo(f"Fout: {error.message}", err=True)
        sys.exit(1)
    except (ConfigurationError, EmbeddedPostgresError) as error:
        click.echo(f"Fout: {error}", err=True)
        sys.exit(2)


for group in (
    db_group,
    areas_group,
    households_group,
    rounds_group,
    vouchers_group,
    jobs_group,
    ledger_group,
    events_group,
    demo,
):
    cli.add_command(group)
