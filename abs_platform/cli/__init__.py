# SPDX-License-Identifier: EUPL-1.2
"""The ``abs`` command: thin commands over services and jobs. Exit status 0 only if all went well."""

from __future__ import annotations

import signal
import sys
from importlib import import_module

import click
from flask.cli import FlaskGroup
from psycopg.errors import UndefinedTable
from sqlalchemy.exc import OperationalError, ProgrammingError

from abs_platform import create_app
from abs_platform.cli.addresses import areas_group, households_group
from abs_platform.cli.operations import db_group, events_group, jobs_group, ledger_group
from abs_platform.cli.rounds import rounds_group, vouchers_group
from abs_platform.cli.rulebook import rulebook_group
from abs_platform.cli.users import users_group
from abs_platform.config import Settings
from abs_platform.embedded import EmbeddedPostgresError
from abs_platform.errors import AbsError
from abs_platform.municipality import ConfigurationError


class AbsGroup(FlaskGroup):
    """Knows its commands without building the app: asking for help starts no database.

    The demo is looked up when it is asked for, so that no other command loads its town or its bank.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted([*self.commands, "demo"])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - the same
        if name == "demo":
            demo: click.Command = import_module("abs_platform.demo.cli").demo
            return demo
        return self.commands.get(name)


@click.group(cls=AbsGroup, create_app=lambda: create_app(Settings.from_env()), add_default_commands=False)
def cli() -> None:
    """Het platform voor buurtgeld, van de opdrachtregel."""


def main() -> None:
    """Run a command; what goes wrong is one sentence on stderr and an exit status that is not 0."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was begun is cleaned up
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
    rulebook_group,
    users_group,
):
    cli.add_command(group)
