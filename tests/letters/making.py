# SPDX-License-Identifier: EUPL-1.2
"""What the tests of letters share: an approved text, a begun run, its files, and what stands on a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import zxingcpp
from PIL import Image
from sqlalchemy import func, select

from abs_platform.areas.models import Area, HelpPoint
from abs_platform.areas.states import AreaLevel
from abs_platform.letters.content import LetterContent, default_content
from abs_platform.letters.models import LetterRun, LetterText
from abs_platform.letters.service import begin_run
from abs_platform.municipality import Municipality
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import VoucherBatch
from tests.factories import TEST_ACTOR, Factory

POINTS_A_MM = 72 / 25.4


def approved_text(factory: Factory, content: LetterContent | None = None) -> LetterText:
    """A new version of the letter that was approved."""
    version = (factory.session.scalar(select(func.max(LetterText.version))) or 0) + 1
    text = LetterText(
        version=version,
        content=(content or default_content(Municipality.load("almelo"))).dump(),
        made_at=factory.now,
        approved_at=factory.now,
        approved_by_id=factory.account().id,
    )
    factory.session.add(text)
    factory.session.flush()
    return text


def add_help_points(factory: Factory, phone: str = "0546 12 34 56") -> None:
    """A desk in every district."""
    districts = factory.session.scalars(select(Area).where(Area.level == AreaLevel.DISTRICT.value))
    factory.session.add_all(
        HelpPoint(
            district_id=district.id,
            name=f"Wijkcentrum {district.name}",
            address="Binnenhof 53, 7608 KX Almelo",
            opening_hours="maandag tot en met vrijdag van 9.00 tot 17.00 uur",
            phone=phone,
        )
        for district in districts
    )
    factory.session.flush()


def batch_of(factory: Factory, round_: Round) -> int:
    """The newest batch of a round."""
    return factory.session.scalars(select(func.max(VoucherBatch.id)).where(VoucherBatch.round_id == round_.id)).one()


def run_of(factory: Factory, round_: Round, content: LetterContent | None = None) -> LetterRun:
    """A begun run of the newest batch of a round; committed, for the press opens transactions of its own."""
    run = begin_run(
        factory.session,
        batch_of(factory, round_),
        text_id=approved_text(factory, content).id,
        keys=factory.keys,
        actor=TEST_ACTOR,
        now=factory.now,
    )
    factory.session.commit()
    return run


def letter_files(folder: Path) -> list[Path]:
    """The PDFs of a folder in order."""
    return sorted(folder.glob("*-brieven-*.pdf"))


def texts(pdf: Path | bytes) -> list[str]:
    """The text of each page, as a reader or a search would get it."""
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_range().replace("\u00a0", " ") for page in document]


def text_in(pdf: Path | bytes, page: int, corners: tuple[float, float, float, float]) -> str:
    """The text in a rectangle (left, top, right, bottom) of an A4 page, in millimetres from the top left."""
    left, top, right, bottom = corners
    found: str = (
        pypdfium2.PdfDocument(pdf)[page]
        .get_textpage()
        .get_text_bounded(
            left=left * POINTS_A_MM,
            top=(297 - top) * POINTS_A_MM,
            right=right * POINTS_A_MM,
            bottom=(297 - bottom) * POINTS_A_MM,
        )
    )
    return found.replace("\u00a0", " ")


def pictures(pdf: Path | bytes, dpi: int = 100) -> Iterator[Image.Image]:
    """Each page as it is printed."""
    for page in pypdfium2.PdfDocument(pdf):
        yield page.render(scale=dpi / 72, grayscale=True).to_pil()


def qr_of(page: Image.Image) -> list[str]:
    """What a phone reads of a page."""
    return [found.text for found in zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)]


def printed_codes(pdf: Path | bytes) -> list[str]:
    """The codes that stand on the fronts of a file, as they are read aloud."""
    count = len(pypdfium2.PdfDocument(pdf))
    return [text_in(pdf, page, (133, 114, 190, 123)).strip() for page in range(0, count, 2)]
