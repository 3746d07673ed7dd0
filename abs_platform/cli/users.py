# SPDX-License-Identifier: EUPL-1.2
"""The commands for who works here."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from abs_platform import clock
from abs_platform.accounts import staff
from abs_platform.accounts.queries import id_of_email
from abs_platform.accounts.staff import Work
from abs_platform.areas.queries import id_of_code, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.cli.parameters import actor
from abs_platform.database import db, transaction
from abs_platform.mail_server import read_address
from abs_platform.users import Role

_ROLE = click.Choice([role.value for role in Role])


class Address(click.ParamType[str]):
    """An e-mail address, as we keep it."""

    name = "e-mailadres"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return read_address(value)
        except ValueError:
            self.fail(f"'{value}' is geen e-mailadres zoals naam@voorbeeld.nl.", param, ctx)


@click.group("users")
def users_group() -> None:
    """Medewerkers, hun rollen en hun wijken."""


@users_group.command("add")
@click.argument("email", type=Address())
@click.option("--name", default="", help="Zoals anderen deze persoon zien.")
@click.option("--role", "roles", multiple=True, required=True, type=_ROLE, help="Meer mag; finance staat alleen.")
@click.option("--district", "districts", multiple=True, help="Code van een wijk of dorp; meer mag.")
@click.option("--city", is_flag=True, help="De hele gemeente.")
@with_appcontext
def users_add(email: str, *, name: str, roles: tuple[str, ...], districts: tuple[str, ...], city: bool) -> None:
    """Geef iemand rollen en wijken, naast wat er al was, en stuur een mail. Twee keer mag."""
    work = Work(frozenset(map(Role, roles)), _area_ids(districts, city=city))
    with transaction() as session:
        is_new = staff.add_staff(session, email, name=name.strip(), work=work, actor=actor(), now=clock.now())
    click.echo(f"{email} is toegevoegd en krijgt een mail." if is_new else f"{email} had dit al.")


@users_group.command("list")
@with_appcontext
def users_list() -> None:
    """Toon wie hier werkt."""
    session = db.session()
    desks = staff.desk_names(session)
    for person in staff.list_staff(session, clock.now()):
        last = person.last_sign_in_at.astimezone(clock.AMSTERDAM) if person.last_sign_in_at else None
        names = ", ".join(name for area_id, name in desks.items() if area_id in person.work.area_ids)
        click.echo(
            f"{person.id}  {person.email}  {person.name}  {', '.join(sorted(person.work.roles))}  {names or '-'}  "
            f"tweede stap {'ja' if person.has_second_factor else 'nee'}  "
            f"ingelogd {f'{last:%Y-%m-%d %H:%M}' if last else '-'}"
        )


@users_group.command("end")
@click.argument("email", type=Address())
@click.option("--role", type=_ROLE, help="Alleen deze rol; anders alle.")
@with_appcontext
def users_end(email: str, role: str | None) -> None:
    """Beëindig de rollen van iemand, en stuur een mail. De laatste beheerder blijft."""
    account_id = _account_id(email)
    ended = Role(role) if role is not None else None
    with transaction() as session:
        staff.end_staff(session, account_id, role=ended, actor=actor(), now=clock.now())
    click.echo(f"{email} is geen {ended.label} meer." if ended else f"{email} werkt hier niet meer.")


@users_group.command("reset-second-factor")
@click.argument("email", type=Address())
@with_appcontext
def users_reset_second_factor(email: str) -> None:
    """Wis de tweede stap van iemand die alles kwijt is: deze persoon wordt overal uitgelogd en krijgt een mail."""
    account_id = _account_id(email)
    with transaction() as session:
        staff.reset_second_factor(session, account_id, actor=actor(), now=clock.now())
    click.echo(f"De tweede stap van {email} is gewist.")


def _account_id(email: str) -> int:
    session = db.session()
    account_id = id_of_email(session, email)
    session.rollback()
    if account_id is None:
        raise click.ClickException(f"er is niemand met {email}. Kijk met: abs users list")
    return account_id


def _area_ids(districts: tuple[str, ...], *, city: bool) -> frozenset[int]:
    """Raises: BadParameter naming a code that is no district."""
    session, found = db.session(), set()
    for code in districts:
        area_id = id_of_code(session, code)
        if area_id is None or area_id not in staff.desk_names(session):
            raise click.BadParameter(f"'{code}' is geen code van een wijk of dorp, zoals WK012345.")
        found.add(area_id)
    if city:
        found |= {area.id for area in list_areas(session, AreaLevel.MUNICIPALITY)}
    session.rollback()
    return frozenset(found)
