# SPDX-License-Identifier: EUPL-1.2
"""The ``abs`` command: thin commands over services and jobs. Exit status 0 only if all went well."""

from __future__ import annotations

import sys

import click
from flask.cli import FlaskGroup
from psycopg.errors import UndefinedTable
from sqlalchemy.exc import OperationalError, ProgrammingError

from abs_platform import create_app
from abs_platform.cli.addresses import areas_group, households_group
from abs_platform.cli.operations import db_group, events_group, jobs_group, ledger_group
from abs_platform.cli.rounds import rounds_group, vouchers_group
from abs_platform.config import ConfigurationError, Settings
from abs_platform.demo.cli import demo
from abs_platform.embedded import EmbeddedPostgresError
from abs_platform.errors import AbsError


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
    except OperationalError as error:
        click.echo(f"Fout: de database antwoordt niet. {error.orig}", err=True)
        sys.exit(2)
    except ProgrammingError as error:
        if not isinstance(error.orig, UndefinedTable):
            raise
        click.echo("Fout: de database is nog niet klaar voor gebruik. Doe: abs db upgrade", err=True)
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
