# SPDX-License-Identifier: EUPL-1.2
"""The commands of whoever runs the platform: migrations, the books, jobs and the event log."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from abs_platform import clock, events, migrating
from abs_platform.database import db, one_snapshot, transaction
from abs_platform.ledger import queries as ledger
from abs_platform.ledger.invariants import INVARIANTS, SETTLES_WITH_JOBS
from abs_platform.ledger.reports import Period, report_of
from abs_platform.money import format_euros, format_euros_exact
from jobs.runner import last_runs, run_job
from jobs.schedule import TIMETABLE


@click.group("db")
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


@click.group("ledger")
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
    click.echo(f"Elke cent klopt: {len(INVARIANTS) - len(SETTLES_WITH_JOBS)} regels nagerekend.")


@ledger_group.command("close")
@click.argument("period")
@with_appcontext
def ledger_close(period: str) -> None:
    """Toon de boeken van een maand (2026-11) of een jaar (2026)."""
    asked = Period.read(period)
    if asked is None:
        raise click.ClickException(f"geen maand of jaar: {period}. Schrijf het zo: 2026-11 of 2026.")
    with transaction() as session:
        one_snapshot(session)
        report = report_of(session, asked)
    for one in report.accounts:
        click.echo(f"{one.account:12} begin {format_euros_exact(one.opening_cents):>18}")
        for movement in one.movements:
            click.echo(f"  {movement.kind:20} {movement.number:>8} {format_euros_exact(movement.amount_cents):>18}")
        click.echo(f"{'':12} eind  {format_euros_exact(one.closing_cents):>18}")
    click.echo(f"{report.transaction_count} boekingen, vingerafdruk {report.fingerprint}")
    if not report.adds_up:
        raise click.ClickException("De boeken tellen niet op.")
    click.echo("Afgesloten." if asked.is_past(clock.today()) else "Deze periode loopt nog: de cijfers zijn voorlopig.")


@click.group("jobs")
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


@click.group("events")
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
