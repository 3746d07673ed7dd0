# SPDX-License-Identifier: EUPL-1.2
"""The commands for areas and households."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from abs_platform import clock
from abs_platform.areas.queries import list_areas
from abs_platform.areas.service import load_areas
from abs_platform.cli.parameters import actor, progress
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict
from abs_platform.households.service import ImportReport, import_addresses
from abs_platform.rounds.queries import running_rounds_of_ended_districts
from abs_platform.rule_settings.service import current_rules


@click.group("areas")
def areas_group() -> None:
    """Wijken, dorpen en buurten."""


@areas_group.command("load")
@click.argument("csv_path", metavar="CSV", type=click.Path(path_type=Path))
@click.option("--shapes", "shapes", multiple=True, type=click.Path(path_type=Path), help="GeoJSON met de vormen.")
@click.option(
    "--edition", type=click.IntRange(2000, 2100), default=2024, show_default=True, help="Jaar van de indeling."
)
@with_appcontext
def areas_load(csv_path: Path, shapes: tuple[Path, ...], edition: int) -> None:
    """Laad de gebieden van een gemeente uit een lijst (code,naam,niveau,ouder_code)."""
    with transaction() as session:
        report = load_areas(
            session,
            csv_path,
            edition=edition,
            villages=current_app.extensions["settings"].municipality.villages,
            shapes_paths=shapes,
            actor=actor(),
            now=clock.now(),
        )
        if names := running_rounds_of_ended_districts(session):
            raise Conflict(
                f"Deze lijst heeft een wijk niet meer die meedoet aan ronde '{names[0]}'. "
                "Wacht tot die ronde is gesloten."
            )
    click.echo(
        f"{report.loaded} gebieden geladen, {report.ended} vervallen, {report.without_shape} buurten zonder vorm."
    )


@areas_group.command("list")
@with_appcontext
def areas_list() -> None:
    """Toon de gebieden."""
    for area in list_areas(db.session()):
        click.echo(f"{area.code}  {area.kind or area.level.value:13}  {area.name}")


@click.group("households")
def households_group() -> None:
    """Adressen."""


@households_group.command("import")
@click.argument("bag_path", metavar="BAG_CSV", type=click.Path(path_type=Path))
@click.option("--areas-key", "key_path", required=True, type=click.Path(path_type=Path), help="CBS pc6hnr…_gwb.csv")
@click.option("--edition", help="Editie van het BAG-bestand, zoals 2026-11.")
@click.option("--dry-run", is_flag=True, help="Laat zien wat er zou veranderen; verander niets.")
@click.option("--skip-rejected", is_flag=True, help="Ga door zonder de afgekeurde regels.")
@click.option("--allow-gone", is_flag=True, help="Ga door, ook als er veel adressen verdwijnen.")
@with_appcontext
def households_import(
    *, bag_path: Path, key_path: Path, edition: str | None, dry_run: bool, skip_rejected: bool, allow_gone: bool
) -> None:
    """Lees de adressen: een BAG-bestand (NLExtract) met de sleutel van het CBS."""
    settings = current_app.extensions["settings"]
    with progress("Adressen gelezen") as advance, transaction() as session:
        report = import_addresses(
            session,
            bag_path,
            key_path,
            municipality_name=settings.municipality.name,
            municipality_code=settings.municipality.code,
            max_gone_percent=current_rules().max_gone_percent,
            allow_gone=allow_gone,
            skip_rejected=skip_rejected,
            bag_edition=edition,
            actor=actor(),
            now=clock.now(),
            on_progress=advance,
        )
        if dry_run:
            session.rollback()
    _show_import(report)
    if dry_run:
        click.echo("Dit was een proef: er is niets veranderd.")


def _show_import(report: ImportReport) -> None:
    click.echo(report.summary())
