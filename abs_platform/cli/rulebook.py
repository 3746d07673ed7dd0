# SPDX-License-Identifier: EUPL-1.2
"""The commands for the rules check."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from abs_platform import clock
from abs_platform.cli.parameters import actor
from abs_platform.database import transaction
from abs_platform.rulebook.loading import load_file


@click.group("rulebook")
def rulebook_group() -> None:
    """De regelcheck: vragen, regels en termijnen."""


@rulebook_group.command("load")
@click.argument("path", metavar="[BESTAND]", required=False, type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Vervang wat er al staat, ook wat de coördinator heeft aangepast.")
@with_appcontext
def rulebook_load(path: Path | None, *, replace: bool) -> None:
    """Laad de regelcheck van de gemeente, of van een ander bestand."""
    town = current_app.extensions["settings"].municipality
    with transaction() as session:
        report = load_file(session, path or town.rulebook_toml, town, replace=replace, actor=actor(), now=clock.now())
    click.echo(f"{report.questions} vragen en {report.advices} adviezen geladen.")
