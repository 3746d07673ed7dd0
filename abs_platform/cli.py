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


def _actor() -> Actor:
    context = click.get_current_context()
    return Actor("command", context.command_path)


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int], None]]:
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


def _round_id(name: str) -> int:
    round_id = find_round(db.session(), name)
    if round_id is None:
        raise click.BadParameter(f"geen ronde met naam of nummer '{name}'. Kijk met: abs rounds list")
    return round_id


@cli.group("db")
def db_group() -> None:
    """Migraties."""


@db_group.command("upgrade")
@with_appcontext
def db_upgrade() -> None:
    """Breng de database op de laatste versie."""
    migrating.upgrade()
    click.echo("De database is bij.")


@db_group.command("check")
@with_appcontext
def db_check() -> None:
    """Kijk of de database bij is, en of modellen en migraties hetzelfde zeggen."""
    if pending := migrating.pending_revisions():
        raise click.ClickException(f"nog niet gedaan: {', '.join(pending)}. Doe: abs db upgrade")
    if differences := migrating.differences():
        raise click.ClickException("modellen en migraties verschillen:\n" + "\n".join(map(str, differences)))
    click.echo("De database is bij, en modellen en migraties zeggen hetzelfde.")


@cli.group("areas")
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
            actor=_actor(),
            now=clock.now(),
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


@cli.group("households")
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
    with _progress("Adressen gelezen") as advance, transaction() as session:
        report = import_addresses(
            session,
            bag_path,
            key_path,
            municipality_name=settings.municipality.name,
            municipality_code=settings.municipality.code,
            max_gone_percent=settings.rules.max_gone_percent,
            allow_gone=allow_gone,
            skip_rejected=skip_rejected,
            bag_edition=edition,
            actor=_actor(),
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


@cli.group("rounds")
def rounds_group() -> None:
    """Voucherrondes."""


class _Moment(click.ParamType[dt.datetime]):
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
        except ValueError:
            self.fail(f"'{value}' is geen datum of tijd zoals 2026-11-22 of 2026-11-22T09:00.", param, ctx)


class _Euros(click.ParamType[int]):
    """An amount, as cents."""

    name = "bedrag"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_euros(value)
        except ValueError:
            self.fail(f"'{value}' is geen bedrag zoals 7,50.", param, ctx)


@rounds_group.command("plan")
@click.option("--name", required=True, help="Zoals 'Najaar 2026'.")
@click.option("--issue-on", required=True, type=_Moment(), help="Dag waarop de vouchers worden gemaakt.")
@click.option("--opens-at", required=True, type=_Moment(), help="Vanaf wanneer men kan geven.")
@click.option("--closes-at", required=True, type=_Moment(is_end=True), help="Tot wanneer; een dag telt helemaal mee.")
@click.option("--amount", type=_Euros(), help="Bedrag per voucher; anders dat van de instellingen.")
@click.option("--district", "districts", multiple=True, help="Code of naam; meer mag. Geen: alle wijken en dorpen.")
@with_appcontext
def rounds_plan(
    *,
    name: str,
    issue_on: dt.datetime,
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    amount: int | None,
    districts: tuple[str, ...],
) -> None:
    """Plan een ronde."""
    rules = current_app.extensions["settings"].rules
    with transaction() as session:
        round_ = plan_round(
            session,
            name=name,
            issue_on=clock.local_date(issue_on),
            opens_at=opens_at,
            closes_at=closes_at,
            amount_cents=rules.voucher_amount_cents if amount is None else amount,
            districts=districts,
            rules=rules,
            actor=_actor(),
            now=clock.now(),
        )
        round_id = round_.id
    click.echo(f"Ronde {round_id} '{name}' is gepland.")


@rounds_group.command("list")
@with_appcontext
def rounds_list() -> None:
    """Toon de rondes, en de partijen waarin ze zijn uitgegeven."""
    session = db.session()
    for row in list_rounds(session):
        opens, closes = (moment.astimezone(clock.AMSTERDAM) for moment in (row.opens_at, row.closes_at))
        click.echo(
            f"{row.id}  {row.name}  {row.state.label}  uitgifte {row.issue_on:%Y-%m-%d}  "
            f"open {opens:%Y-%m-%d %H:%M} tot {closes:%Y-%m-%d %H:%M}  "
            f"{format_euros(row.amount_cents)}  {row.district_count} wijken"
        )
        for batch in batches_of(session, row.id):
            issued = batch.issued_at.astimezone(clock.AMSTERDAM)
            click.echo(f"   partij {batch.id}  {issued:%Y-%m-%d %H:%M}  {batch.voucher_count} vouchers")


@cli.group("vouchers")
def vouchers_group() -> None:
    """Vouchers."""


@vouchers_group.command("issue")
@click.argument("round_name", metavar="RONDE")
@with_appcontext
def vouchers_issue(round_name: str) -> None:
    """Geef elk huishouden van een ronde zijn voucher; wie er al een heeft, houdt die."""
    round_id = _round_id(round_name)
    with _progress("Vouchers") as advance, transaction() as session:
        report = issue_vouchers(
            session,
            round_id,
            keys=current_app.extensions["code_keys"],
            actor=_actor(),
            now=clock.now(),
            on_progress=advance,
        )
    if report.batch_id is None:
        click.echo("Iedereen had al een voucher.")
    else:
        click.echo(f"{report.voucher_count} vouchers uitgegeven (partij {report.batch_id}).")


@vouchers_group.command("export")
@click.argument("round_name", metavar="RONDE")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Het bestand voor de drukker.")
@click.option("--batch", type=int, help="Alleen deze partij (zie abs rounds list).")
@with_appcontext
def vouchers_export(round_name: str, out: Path, batch: int | None) -> None:
    """Maak het printbestand: adresregels en code per voucher. Bewaar het veilig: wie het heeft, heeft de codes."""
    round_id = _round_id(round_name)
    with _progress("Regels") as advance, transaction() as session:
        report = export(
            session,
            round_id,
            out,
            keys=current_app.extensions["code_keys"],
            actor=_actor(),
            now=clock.now(),
            batch_id=batch,
            on_progress=advance,
        )
    click.echo(f"{report.path}: {report.row_count} vouchers\nSHA-256 {report.sha256}")
    if report.same_as_before is not None:
        click.echo("Gelijk aan het vorige bestand." if report.same_as_before else "Anders dan het vorige bestand.")


@cli.group("ledger")
def ledger_group() -> None:
    """Het kasboek."""


@ledger_group.command("check")
@with_appcontext
def ledger_check() -> None:
    """Bewijs dat elke cent klopt."""
    with transaction() as session:
        one_snapshot(session)
        breaches = ledger.check(session)
        balances = ledger.balances(session)
    for balance in balances:
        click.echo(f"{balance.account:12} {format_euros(balance.amount_cents):>16}  ({balance.postings} boekingen)")
    if breaches:
        for breach in breaches:
            click.echo(f"KLOPT NIET  {breach.invariant}\n            {breach.what}: {breach.details}", err=True)
        raise click.ClickException(f"{len(breaches)} dingen in de boeken kloppen niet.")
    click.echo(f"Elke cent klopt: {len(ledger.INVARIANTS) - len(ledger.SETTLES_WITH_JOBS)} regels nagerekend.")


@cli.group("jobs")
def jobs_group() -> None:
    """Taken die vanzelf lopen."""


@jobs_group.command("list")
@with_appcontext
def jobs_list() -> None:
    """Toon de taken, wanneer ze lopen en hoe het de laatste keer ging."""
    runs = last_runs()
    for name, entry in TIMETABLE.items():
        run = runs.get(name)
        if run is None:
            last = "nog nooit"
        else:
            started = run.started_at.astimezone(clock.AMSTERDAM)
            result = (
                "bezig" if run.ended_at is None else (f"fout: {run.error}" if run.error else f"{run.changed} veranderd")
            )
            last = f"{started:%Y-%m-%d %H:%M:%S}  {result}"
        click.echo(f"{name:20} {entry.when:26} {last}")


@jobs_group.command("run")
@click.argument("name", type=click.Choice(sorted(TIMETABLE)))
@with_appcontext
def jobs_run(name: str) -> None:
    """Doe een taak nu."""
    report = run_job(name, TIMETABLE[name].job)
    if report is None:
        raise click.ClickException(f"{name} loopt al in een ander proces.")
    if report.errors:
        raise click.ClickException(f"{name}: {len(report.errors)} fouten:\n" + "\n".join(report.errors))
    click.echo(f"{name}: {report.changed} veranderd.")


@cli.group("events")
def events_group() -> None:
    """Het logboek: wie deed wat, wanneer en waarom."""


@events_group.command("list")
@click.option("--kind", default="", help="Begin van de soort, zoals 'alarm' of 'round'.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@with_appcontext
def events_list(kind: str, limit: int) -> None:
    """Toon de laatste gebeurtenissen, nieuwste eerst."""
    for event in events.latest(db.session(), kind, limit):
        happened = event.happened_at.astimezone(clock.AMSTERDAM)
        about = "" if event.subject_id is None else f" {event.subject_id}"
        rest = "  ".join(str(part) for part in (event.reason, event.details) if part)
        click.echo(f"{happened:%Y-%m-%d %H:%M:%S}  {event.kind}{about}  {event.actor}  {rest}".rstrip())


cli.add_command(demo)
