# SPDX-License-Identifier: EUPL-1.2
"""Fills an empty database with a believable town: real importer, real service verbs, a history in the order of time."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import clock, events
from abs_platform.actors import Actor
from abs_platform.areas.service import load_areas
from abs_platform.config import Settings
from abs_platform.database import transaction
from abs_platform.demo.addresses import write_address_files
from abs_platform.demo.announcing import announce
from abs_platform.demo.bank import Bank
from abs_platform.demo.history import History
from abs_platform.demo.introducing import introduce
from abs_platform.demo.mails import settle
from abs_platform.demo.people import load_staff
from abs_platform.demo.pressing import make_letters
from abs_platform.demo.story import Story
from abs_platform.demo.subscribing import subscribe
from abs_platform.demo.timeline import Timeline
from abs_platform.errors import Conflict
from abs_platform.finance.checking import check_books
from abs_platform.households.models import Household
from abs_platform.households.service import import_addresses
from abs_platform.initiatives.counting import count_progress, mix
from abs_platform.payment_settings import DEFAULT_METHODS, BankAccount
from abs_platform.reports.service import keep_area_figures, keep_district_vouchers
from abs_platform.rulebook.loading import load_file
from abs_platform.storage import FileStore
from abs_platform.templating import number
from abs_platform.vouchers.codes import CodeKeys

ACTOR = Actor("command", "abs demo")
LOADED = "demo.loaded"
BANK_URL = "http://127.0.0.1:5001"
DEMO_IBAN = "NL02ABNA0123456789"
AREAS_EDITION = 2024
SEED = 7
# Days before today. The open round began some weeks ago and goes on for some weeks more.
CLOSED_ROUND = (260, 150)
OPEN_ROUND = (55, -35)
ACTIONS_A_COMMIT = 250
HIRED_BEFORE = dt.timedelta(days=400)


def is_loaded(session: Session) -> bool:
    """Whether this database holds the demo."""
    return events.happened_since(session, LOADED, dt.datetime.min.replace(tzinfo=dt.UTC))


def bank_file(settings: Settings) -> Path:
    """Where the demo bank remembers."""
    return settings.instance_dir / "demo" / "stripe.sqlite"


def account_of(settings: Settings) -> BankAccount:
    """From which the demo pays out."""
    return settings.bank_account or BankAccount(iban=DEMO_IBAN, holder=f"Gemeente {settings.municipality.name}")


def load(
    settings: Settings,
    keys: CodeKeys,
    store: FileStore,
    say: Callable[[str], None],
    now: dt.datetime | None = None,
    *,
    bank_url: str = BANK_URL,
) -> None:
    """Load the demo into an empty, migrated database.

    Each step commits, and a marker at the end says that all is there. Gifts of money are paid at the demo bank, whose
    server will stand at ``bank_url``; where the settings name another account nobody gave money yet.

    Raises: Conflict when the database holds something else, or a demo that was cut off while it loaded.
    """
    now = now or clock.now()
    with transaction() as session:
        if session.scalar(select(func.count()).select_from(Household)):
            raise Conflict(
                "In deze database staan al adressen, maar geen hele demo. Begin opnieuw met een lege database "
                f"(gooi anders de map {settings.instance_dir} weg)."
            )
    _load_addresses(settings, say, now)
    with transaction() as session:
        hired = now - HIRED_BEFORE
        load_staff(session, settings.municipality.demo_dir / "people.toml", secret_key=settings.secret_key, now=hired)
    data = Story.read(settings.municipality.demo_dir)
    line = Timeline(settings, keys=keys, store=store, data=data, chance=random.Random(SEED), now=now)
    bank = Bank(bank_file(settings), url=bank_url, methods=DEFAULT_METHODS) if settings.payments is None else None
    history = History(line, bank, account_of(settings))
    _tell(history, say)
    if bank is not None:
        bank.close()
    introduce(settings.municipality.demo_dir, store, now=now)
    announce(settings.municipality.demo_dir, store, line.ids, now=now)
    subscribe(settings.municipality.demo_dir, line, now=now)
    make_letters(history.posting, now)
    with transaction() as session:
        settle(session, now=now)
    with transaction() as session:
        keep_area_figures(session, now=now)
        keep_district_vouchers(session, now=now)
        count_progress(session, now=now)
        mix(session, now=now)
    with transaction() as session:
        events.record(session, LOADED, None, actor=ACTOR, now=now)
    if check_books(actor=ACTOR, now=now):
        raise ValueError("the books of the demo do not add up: see `abs ledger check`")


def _tell(history: History, say: Callable[[str], None]) -> None:
    """Plan all that happened, and let it happen."""
    line = history.line
    history.plan(CLOSED_ROUND, OPEN_ROUND)
    say(f"De geschiedenis: {len(line.data.initiatives)} initiatieven en {number(history.giving.gift_count)} giften…")
    numbered = enumerate(line.in_order())
    for _part, actions in groupby(numbered, lambda pair: pair[0] // ACTIONS_A_COMMIT):
        with transaction() as session:
            for _number, (moment, action) in actions:
                action(session, moment)


def _load_addresses(settings: Settings, say: Callable[[str], None], now: dt.datetime) -> None:
    town = settings.municipality
    say(f"De wijken, dorpen en buurten van {town.name}…")
    with transaction() as session:
        load_areas(session, town.areas_csv, edition=AREAS_EDITION, villages=town.villages, actor=ACTOR, now=now)
        load_file(session, town.rulebook_toml, town, replace=True, actor=ACTOR, now=now)
    folder = settings.instance_dir / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    files = write_address_files(
        town.demo_dir / "streets.toml",
        folder / "bag_adressen.csv",
        folder / "pc6hnr_gwb.csv",
        municipality=town.name,
        municipality_code=town.code,
    )
    say(f"{number(files.households)} verzonnen adressen, in de formaten van BAG en CBS…")
    with transaction() as session:
        import_addresses(
            session,
            files.bag_path,
            files.key_path,
            municipality_name=town.name,
            municipality_code=town.code,
            max_gone_percent=settings.rules.max_gone_percent,
            bag_edition="demo",
            actor=ACTOR,
            now=now,
        )
