# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's letters in a real browser: write, look, approve, have them made, take the files, hand them over."""

from __future__ import annotations

import hashlib
import zipfile
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from abs_platform import clock
from abs_platform.database import db
from abs_platform.letters.models import LetterFile, LetterRun
from abs_platform.letters.states import FileKind, RunState
from abs_platform.users import Role
from abs_platform.vouchers.models import VoucherBatch
from jobs import do_work
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import people, sign_in
from tests.browser.visitor import Visitor
from tests.people import People

__all__ = ["people"]
pytestmark = pytest.mark.browser

_serials = count(1)


def work(town: Town) -> None:
    """What the job process does meanwhile."""
    with town.app.app_context():
        report = do_work.run(clock.now())
        db.session.remove()
    assert report.errors == []


def a_batch_without_letters(town: Town) -> VoucherBatch:
    """One of the round that is open."""
    town.code()
    town.session.rollback()
    with_letters = select(LetterRun.batch_id).where(LetterRun.state != RunState.WITHDRAWN.value)
    query = select(VoucherBatch).where(VoucherBatch.id.not_in(with_letters), VoucherBatch.voucher_count > 5)
    found = town.session.scalars(query.order_by(VoucherBatch.id)).first()
    assert found is not None
    return found


def fill_in_a_help_point(visitor: Visitor) -> None:
    """Say where one district gets help."""
    page = visitor.page
    visitor.goto("/beheer/wijkcentra")
    visitor.check()
    visitor.press(page.locator(".fin-row__link").first)
    page.fill("#name", "Wijkcentrum De Schelf")
    page.fill("#address", "Binnenhof 55")
    page.fill("#opening_hours", "maandag tot en met vrijdag van 9 tot 12 uur")
    page.fill("#phone", "0546 12 34 56")
    visitor.check()
    visitor.press(visitor.button("Sla op"))
    expect(page.get_by_text("Het wijkcentrum is opgeslagen.")).to_be_visible()


def write_and_approve(visitor: Visitor, title: str) -> None:
    """A new version, looked at before it is kept, and approved."""
    page = visitor.page
    visitor.goto("/beheer/brief/schrijven")
    visitor.check(in_the_dark=True, magnified=True)
    page.fill("#title", title)
    page.fill("#body", "Je krijgt {bedragje}.")
    visitor.press(visitor.button("Bekijk een voorbeeld"))
    expect(page.get_by_role("link", name="{bedragje} kennen we niet")).to_be_visible()
    visitor.check()
    page.fill("#body", "Elk huishouden krijgt {bedrag}.\n\nGeven kan tot en met {sluit}.")
    visitor.press(visitor.button("Bekijk een voorbeeld"))
    expect(page.get_by_alt_text("De voorkant van de brief, met een proefcode")).to_be_visible()
    visitor.check()
    page.fill("#note", "Korter")
    visitor.press(visitor.button("Sla op als nieuwe versie"))
    expect(page.get_by_text("is opgeslagen")).to_be_visible()
    visitor.check()
    with page.expect_navigation():
        visitor.press(page.get_by_role("link", name="Keur deze versie goed"))
    visitor.check()
    page.check("#sure")
    visitor.press(page.get_by_role("button", name="goed"))
    expect(page.get_by_text("is goedgekeurd")).to_be_visible()
    visitor.check(in_the_dark=True)


def take_the_files(visitor: Visitor, batch: VoucherBatch, folder: Path) -> bytes:
    """The PDF of the only file of letters, from the ZIP with everything."""
    own = visitor.page.locator(f"#partij-{batch.id}")
    with visitor.page.expect_download() as download:
        visitor.press(own.get_by_role("button", name="Download alles (ZIP)"))
    download.value.save_as(folder / "letters.zip")
    with zipfile.ZipFile(folder / "letters.zip") as archive:
        (pdf,) = (name for name in archive.namelist() if name.endswith(".pdf"))
        return archive.read(pdf)


def test_a_letter_from_the_first_word_to_the_printer(
    town: Town, visitor: Visitor, people: People, tmp_path: Path
) -> None:
    assert people
    sign_in(town, visitor, town.factory.account(name="Coen Smit", roles=(Role.COORDINATOR,)))
    fill_in_a_help_point(visitor)
    write_and_approve(visitor, f"Kies wat er in jouw buurt gebeurt ({next(_serials)})")

    batch, page = a_batch_without_letters(town), visitor.page
    own = page.locator(f"#partij-{batch.id}")
    visitor.goto(f"/beheer/rondes/{batch.round_id}/brieven")
    visitor.check()
    visitor.press(own.get_by_role("button", name="Maak"))
    expect(page.get_by_text("De brieven worden gemaakt.")).to_be_visible()
    visitor.check()
    work(town)
    expect(own.get_by_role("button", name="Download alles (ZIP)")).to_be_visible(timeout=30_000)  # it looks again
    visitor.check(in_the_dark=True, magnified=True)
    made = take_the_files(visitor, batch, tmp_path)
    town.session.rollback()
    run = town.session.scalars(select(LetterRun).where(LetterRun.batch_id == batch.id)).one()
    letters = town.session.get_one(LetterFile, (run.id, FileKind.LETTERS.value, 1))
    assert made.startswith(b"%PDF")
    assert hashlib.sha256(made).hexdigest() == letters.sha256

    with page.expect_navigation():
        visitor.press(own.get_by_role("link", name="Draag over aan de drukker"))
    visitor.check()
    page.check("#sure")
    visitor.press(page.get_by_role("button", name="overgedragen"))
    expect(page.get_by_text("Overgedragen. De bestanden")).to_be_visible()
    visitor.check()
    town.session.rollback()
    assert town.session.get_one(LetterRun, run.id).state == RunState.HANDED_OVER
