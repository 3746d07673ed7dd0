# SPDX-License-Identifier: EUPL-1.2
"""The commands for rounds and vouchers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from abs_platform import clock
from abs_platform.cli.parameters import Euros, Moment, actor, progress, round_id_of
from abs_platform.database import db, transaction
from abs_platform.money import format_euros
from abs_platform.rounds.queries import list_rounds
from abs_platform.rounds.service import plan_round
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.print_file import export
from abs_platform.vouchers.queries import batches_of


@click.group("rounds")
def rounds_group() -> None:
    """Voucherrondes."""


@rounds_group.command("plan")
@click.option("--name", required=True, help="Zoals 'Najaar 2026'.")
@click.option("--issue-on", required=True, type=Moment(), help="Dag waarop de vouchers worden gemaakt.")
@click.option("--opens-at", required=True, type=Moment(), help="Vanaf wanneer men kan geven.")
@click.option("--closes-at", required=True, type=Moment(is_end=True), help="Tot wanneer; een dag telt helemaal mee.")
@click.option("--amount", type=Euros(), help="Bedrag per voucher; anders dat van de instellingen.")
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
            actor=actor(),
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


@click.group("vouchers")
def vouchers_group() -> None:
    """Vouchers."""


@vouchers_group.command("issue")
@click.argument("round_name", metavar="RONDE")
@with_appcontext
def vouchers_issue(round_name: str) -> None:
    """Geef elk huishouden van een ronde zijn voucher; wie er al een heeft, houdt die."""
    round_id = round_id_of(round_name)
    with progress("Vouchers") as advance, transaction() as session:
        report = issue_vouchers(
            session,
            round_id,
            keys=current_app.extensions["code_keys"],
            actor=actor(),
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
@click.option("--batch", type=click.IntRange(1, 2**63 - 1), help="Alleen deze partij (zie abs rounds list).")
@with_appcontext
def vouchers_export(round_name: str, out: Path, batch: int | None) -> None:
    """Maak het printbestand: adresregels en code per voucher. Bewaar het veilig: wie het heeft, heeft de codes."""
    round_id = round_id_of(round_name)
    with progress("Regels") as advance, transaction() as session:
        report = export(
            session,
            round_id,
            out,
            keys=current_app.extensions["code_keys"],
            actor=actor(),
            now=clock.now(),
            batch_id=batch,
            on_progress=advance,
        )
    click.echo(f"{report.path}: {report.row_count} vouchers\nSHA-256 {report.sha256}")
    if report.same_as_before is not None:
        click.echo("Gelijk aan het vorige bestand." if report.same_as_before else "Anders dan het vorige bestand.")
