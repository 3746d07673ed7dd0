# SPDX-License-Identifier: EUPL-1.2
"""The commands for rounds and vouchers."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.cli.parameters import Euros, Moment, actor, progress, round_id_of
from abs_platform.database import db, one_snapshot, transaction
from abs_platform.errors import Conflict
from abs_platform.letters.filing import MANIFEST
from abs_platform.letters.press import make_files
from abs_platform.letters.queries import text_for_batch
from abs_platform.letters.service import begin_run
from abs_platform.money import format_euros
from abs_platform.reports.proving import prove
from abs_platform.rounds.budgeting import FIRST_YEAR, LAST_YEAR, set_budget
from abs_platform.rounds.changing import cancel_round
from abs_platform.rounds.queries import list_rounds
from abs_platform.rounds.readiness import checks, release_when_ready
from abs_platform.rounds.service import plan_round
from abs_platform.rounds.states import MAY_BE_SET_ASIDE, CheckKind
from abs_platform.rule_settings.service import current_rules
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.print_file import export
from abs_platform.vouchers.queries import batches_of
from abs_platform.vouchers.states import VoucherState


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
    rules = current_rules()
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


@rounds_group.command("release")
@click.argument("round_name", metavar="RONDE")
@click.option(
    "--despite",
    multiple=True,
    type=click.Choice(sorted(kind.value for kind in MAY_BE_SET_ASIDE)),
    help="Wat niet in orde hoeft.",
)
@click.option("--reason", default="", help="Waarom de ronde toch door mag gaan.")
@with_appcontext
def rounds_release(round_name: str, despite: tuple[str, ...], reason: str) -> None:
    """Geef een ronde vrij: op de dag van uitgifte worden de vouchers gemaakt. Alleen als de controlelijst groen is."""
    round_id, rules = round_id_of(round_name), current_rules()
    fingerprint = current_app.extensions["code_keys"].fingerprint
    for check in checks(db.session(), round_id, key_fingerprint=fingerprint, rules=rules, now=clock.now()):
        sign = "in orde" if check.is_green else "let op" if check.is_warning else "ROOD"
        click.echo(f"{sign:8} {check.kind.value:15} {check.sentence}")
    db.session.rollback()
    with transaction() as session:
        release_when_ready(
            session,
            round_id,
            key_fingerprint=fingerprint,
            rules=rules,
            despite={CheckKind(name) for name in despite},
            reason=reason,
            actor=actor(),
            now=clock.now(),
        )
    click.echo("De ronde is vrijgegeven.")


@rounds_group.command("budget")
@click.argument("year", metavar="JAAR", type=click.IntRange(FIRST_YEAR, LAST_YEAR))
@click.argument("amount", metavar="EURO", type=Euros())
@click.option("--reason", required=True, help="Zoals het besluit van de raad.")
@with_appcontext
def rounds_budget(year: int, amount: int, reason: str) -> None:
    """Leg vast wat de raad voor een jaar beschikbaar stelde."""
    with transaction() as session:
        old = set_budget(session, year, amount, reason=reason, actor=actor(), now=clock.now())
    was = "nog niet ingevuld" if old is None else format_euros(old)
    click.echo(f"Budget van {year}: {format_euros(amount)} (was: {was}).")


@rounds_group.command("cancel")
@click.argument("round_name", metavar="RONDE")
@click.option("--reason", required=True, help="Waarom.")
@with_appcontext
def rounds_cancel(round_name: str, reason: str) -> None:
    """Annuleer een ronde waarvan nog geen voucher is gemaakt."""
    round_id = round_id_of(round_name)
    with transaction() as session:
        cancel_round(session, round_id, reason=reason, actor=actor(), now=clock.now())
    click.echo("De ronde is geannuleerd. De data en de naam zijn weer vrij.")


@rounds_group.command("prove")
@click.argument("round_name", metavar="RONDE")
@with_appcontext
def rounds_prove(round_name: str) -> None:
    """Reken na dat er sinds de uitgifte geen voucher bij kwam, wegging of veranderde. Verandert zelf niets."""
    with transaction():
        round_id = round_id_of(round_name)
    with transaction() as session:
        one_snapshot(session)
        proof = prove(session, round_id)
    for batch in proof.batches:
        issued = batch.issued_at.astimezone(clock.AMSTERDAM)
        seal = "zonder zegel, van voor er zegels waren" if batch.published is None else f"zegel {batch.published}"
        verdict = "klopt" if batch.is_right else f"KLOPT NIET: nu {batch.count} vouchers, zegel {batch.seal}"
        click.echo(f"partij {batch.id}  {issued:%Y-%m-%d %H:%M}  {batch.said_count} vouchers  {seal}  {verdict}")
    states = " + ".join(f"{proof.states[state]} {state.label}" for state in VoucherState)
    click.echo(f"{states} = {proof.issued} uitgegeven")
    click.echo("Kasboek: " + ", ".join(f"{count} {word}" for word, count in proof.booked.items()))
    for fault in proof.faults:
        click.echo(fault, err=True)
    if not proof.is_right:
        raise click.ClickException(f"{len(proof.faults)} dingen kloppen niet. Er is sinds de uitgifte iets veranderd.")
    click.echo("Alles klopt: elke voucher staat in één partij, elk zegel is gelijk, en het kasboek zegt hetzelfde.")


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


@vouchers_group.command("letters")
@click.argument("round_name", metavar="RONDE")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="De map voor de bestanden.")
@click.option("--batch", type=click.IntRange(1, 2**63 - 1), help="Alleen deze partij (zie abs rounds list).")
@with_appcontext
def vouchers_letters(round_name: str, out: Path, batch: int | None) -> None:
    """Maak de brieven voor de drukker. Bewaar ze veilig: wie ze heeft, heeft de codes. Opnieuw maken mag altijd."""
    keys = current_app.extensions["code_keys"]
    with transaction() as session:
        batch_id = _batch_of(session, round_id_of(round_name), batch)
        run = begin_run(
            session, batch_id, text_id=_text_of(session, batch_id), keys=keys, actor=actor(), now=clock.now()
        )
        run_id, total = run.id, run.letter_count
        helped = sorted(run.help_points)
    if not helped:
        click.echo("Let op: er is nog geen wijkcentrum ingevuld. Op de brief staat de gemeente.")
    with click.progressbar(length=total, label="Brieven", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        report = make_files(run_id, out, keys=keys, on_progress=bar.update, actor=actor())
    click.echo(f"{out}: {report.letter_count} brieven in {report.file_count} bestanden")
    if report.replaced:
        click.echo(f"Let op: deze tekens kent het lettertype niet en zijn vervangen: {report.replaced}")
    click.echo(f"SHA-256 van {MANIFEST}: {report.manifest_sha256}")


def _batch_of(session: Session, round_id: int, wanted: int | None) -> int:
    """The batch that was asked for, or the only one. Raises: BadParameter."""
    ids = [batch.id for batch in batches_of(session, round_id)]
    if not ids:
        raise Conflict("Deze ronde heeft nog geen vouchers. Geef ze eerst uit met: abs vouchers issue")
    if wanted is None and len(ids) == 1:
        return ids[0]
    if wanted not in ids:
        known = ", ".join(map(str, ids))
        raise click.BadParameter(f"kies een partij van deze ronde met --batch: {known}.")
    return wanted


def _text_of(session: Session, batch_id: int) -> int:
    """The text of the run that a batch has, else that of its round, else the newest approved one."""
    text_id = text_for_batch(session, batch_id)
    if text_id is None:
        raise click.ClickException(
            "Er is nog geen goedgekeurde tekst van de brief. Keur er een goed bij /beheer/brief."
        )
    return text_id
