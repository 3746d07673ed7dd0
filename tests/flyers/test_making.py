# SPDX-License-Identifier: EUPL-1.2
# ruff: noqa: RUF001 - letters that look like others are what these tests are about
"""A poster and a flyer from any words: tagged, in Dutch, the same bytes each time, and nothing in them is markup."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from abs_platform.config import ROOT_DIR
from abs_platform.flyers import service
from abs_platform.flyers.service import Colours, FlyerContent, flyer, poster, printable
from abs_platform.initiatives.illustrations import draw
from abs_platform.initiatives.states import Theme

CONTENT = FlyerContent(
    title="Een nieuwe speeltuin voor de buurt",
    summary="We maken van het grasveld een plek waar kinderen spelen.",
    place="Windmolenbroek",
    theme_label="Spelen",
    target_cents=125_000,
    deadline_on=dt.date(2026, 12, 12),
    organisers=["Anna de Vries", "Ayşe Yılmaz", "Bram"],
    voucher_url="https://buurtsamen.example/voucher?initiatief=128",
    short_url="buurtsamen.example/initiatieven/128",
    site_name="Buurt Samen",
    picture_svg=draw(Theme.PLAY, 7),
)
MAKERS = [poster, flyer]
Maker = Callable[[FlyerContent], bytes]


def content(**changes: object) -> FlyerContent:
    return dataclasses.replace(CONTENT, **changes)  # type: ignore[arg-type]


def printed(changed: FlyerContent) -> dict[str, object]:
    return service._words_of(changed)


@pytest.mark.parametrize("make", MAKERS)
def test_it_is_a_tagged_pdf_in_dutch_with_its_title(make: Maker) -> None:
    made = make(CONTENT)

    assert made.startswith(b"%PDF-")
    assert b"pdfuaid:part=" in made or b"<pdfuaid:part>" in made
    assert b"/MarkInfo<</Marked true" in made
    assert b"/StructTreeRoot" in made
    assert b"/Lang(nl)" in made
    assert b"Een nieuwe speeltuin voor de buurt" in made
    assert b"/Alt(QR-code naar https://buurtsamen.example/voucher?initiatief=128)" in made


def test_who_listens_hears_a_flyer_once_though_it_is_printed_twice() -> None:
    made = flyer(CONTENT)

    assert len(re.findall(rb"/S/H1\b", made)) == len(re.findall(rb"/S/H1\b", poster(CONTENT))) == 1
    assert made.count(b"/Alt(QR-code") == 1


@pytest.mark.parametrize(("make", "size"), [(poster, (210, 297)), (flyer, (297, 210))])
def test_it_is_one_page_of_a4(make: Maker, size: tuple[int, int]) -> None:
    made = make(CONTENT)

    (box,) = re.findall(rb"/MediaBox\[0 0 ([\d.]+) ([\d.]+)\]", made)
    assert tuple(round(float(side) * 25.4 / 72) for side in box) == size


@pytest.mark.parametrize("make", MAKERS)
def test_equal_words_make_equal_bytes(make: Maker) -> None:
    first = make(CONTENT)

    assert make(content()) == first
    assert make(content(title="Iets anders")) != first
    assert b"CreationDate" not in first


def test_many_at_once_make_what_one_makes() -> None:
    wanted = [flyer(content(title=f"Plan {number}")) for number in range(4)]
    barrier = threading.Barrier(4)

    def make(number: int) -> bytes:
        barrier.wait(30)
        return flyer(content(title=f"Plan {number}"))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(make, range(4))) == wanted


def test_memory_does_not_grow_with_every_flyer() -> None:
    process = psutil.Process()
    for number in range(60):
        poster(content(title=f"Warm {number}"))
    before = process.memory_info().rss

    for number in range(150):
        poster(content(title=f"Plan {number}", summary=f"woord {number} " * 20))

    assert process.memory_info().rss - before < 20_000_000


@pytest.mark.parametrize("theme", list(Theme))
@pytest.mark.parametrize("make", MAKERS)
def test_every_theme_has_a_picture_that_can_be_printed(make: Maker, theme: Theme) -> None:
    without = make(content(picture_svg='<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"/>'))

    assert make(content(picture_svg=draw(theme, 3))) != without


MARKUP = [
    '#import "poster.typ"', "#panic(1)", '#read("parts.typ")', "= Kop", "$a^2$", "*vet* _schuin_", "`code`", "@bron",
    "<label>", "// weg", "/* weg */", "\\u{41}", "[inhoud]", "~", "--- ...", '"aangehaald"', "#sys.inputs", "#{", "]",
    "\\",
]  # fmt: skip


@pytest.mark.parametrize("words", MARKUP)
def test_markup_is_printed_as_it_was_typed(words: str) -> None:
    changed = content(title=words, summary=words, place=words, organisers=[words], theme_label=words)

    assert printed(changed)["title"] == words
    assert poster(changed) != poster(content(title="x", summary="x", place="x", organisers=["x"], theme_label="x"))
    flyer(changed)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120), st.text(max_size=300), st.lists(st.text(max_size=80), max_size=6))
def test_no_words_break_it(title: str, summary: str, names: list[str]) -> None:
    made = poster(content(title=title, summary=summary, organisers=names))

    assert made.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Zoë, Ağça, Şule, Işık, Łukasz, Nguyễn", "Zoë, Ağça, Şule, Işık, Łukasz, Nguyễn"),
        ("€ 7,50 – “samen” … ½ ĳ", "€ 7,50 – “samen” … ½ ĳ"),
        ("محمد", "محمد"),
        ("Ελένη Дмитрий", "Ελένη Дмитрий"),
        ("Soep 🍲 voor 👩‍👩‍👧‍👦 iedereen ❤️‍🔥", "Soep voor iedereen ❤"),
        ("漢字 feest", "feest"),
        ("𝓕𝓮𝓮𝓼𝓽", "Feest"),
        ("cafe\u0301", "café"),
        ("\u202etxet\u202c\x00\x1b\ue000", "txet"),
        ("twee\nregels\tmet   ruimte", "twee regels met ruimte"),
        ("🎉", ""),
    ],
)
def test_what_the_fonts_do_not_have_goes_without_a_trace(typed: str, shown: str) -> None:
    assert printable(typed) == shown


def test_a_title_of_emoji_alone_becomes_the_place() -> None:
    assert printed(content(title="🎉🎉"))["title"] == "Windmolenbroek"


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["Anna de Vries"], "Een idee van Anna"),
        (["Anna de Vries", "Bram Bos"], "Een idee van Anna en Bram"),
        (["Anna", "🎉", "Cem Kaya", "Dirk"], "Een idee van Anna, Cem en Dirk"),
        (["A", "B", "C", "D", "E"], "Een idee van A, B, C, D en nog 1 ander"),
        (["A", "B", "C", "D", "E", "F"], "Een idee van A, B, C, D en nog 2 anderen"),
        (["漢字"], ""),
        ([], ""),
    ],
)
def test_only_first_names_are_printed(names: list[str], shown: str) -> None:
    assert printed(content(organisers=names))["by"] == shown
    assert poster(content(organisers=names)).startswith(b"%PDF-")


def test_it_says_what_is_needed_and_until_when() -> None:
    facts = printed(CONTENT)["facts"]

    assert facts == [("Streefbedrag", "€\u00a01.250"), ("Geef tot en met", "12 december 2026")]


def test_the_qr_holds_the_address_and_stays_readable_with_a_quarter_lost() -> None:
    wanted = segno.make_qr(CONTENT.voucher_url, error="q")

    assert service.qr_svg(CONTENT.voucher_url) == service.qr_svg(CONTENT.voucher_url)
    assert wanted.error == "Q"
    assert f'width="{wanted.symbol_size(border=0)[0]}"' in service.qr_svg(CONTENT.voucher_url)


def pixels(tmp_path: Path, template: str, changed: FlyerContent) -> Image.Image:
    path = tmp_path / "page.png"
    path.write_bytes(service._compile(template, changed, "png"))
    return Image.open(path).convert("RGB")


LONG = {
    "words": content(
        title="Samen bouwen wij een natuurspeelplaats " * 3, summary="We planten bomen en leggen paden aan. " * 8
    ),
    "one word": content(title="a" * 120, summary="b" * 300, place="c" * 60, organisers=["d" * 80]),
    "wide": content(title="W" * 120, summary="W" * 300, place="W" * 60, organisers=["W" * 80]),
    "arabic": content(title="حديقة جديدة للجميع في الحي " * 4, summary="نزرع الأشجار معا " * 15),
}


@pytest.mark.parametrize("name", LONG)
def test_the_longest_words_stay_within_their_place(tmp_path: Path, name: str) -> None:
    page = pixels(tmp_path, "poster.typ", LONG[name])
    width, height = page.size
    paper, dark = Colours().paper, Colours().dark
    rgb = {name: tuple(bytes.fromhex(colour[1:])) for name, colour in (("paper", paper), ("dark", dark))}

    def is_all(colour: str, left: float, top: float, right: float, bottom: float) -> bool:
        box = page.crop(
            (
                round(left * width / 210),
                round(top * height / 297),
                round(right * width / 210),
                round(bottom * height / 297),
            )
        )
        return set(box.get_flattened_data()) == {rgb[colour]}

    assert is_all("paper", 1, 101, 12, 193), "something stands in the left margin"
    assert is_all("paper", 200, 101, 209, 193), "something runs off the right side"
    assert is_all("paper", 13, 192.5, 197, 194.5), "the message touches the call"
    assert is_all("dark", 1, 196, 12, 296)
    assert is_all("dark", 198, 196, 209, 296)


def test_the_colours_are_those_of_the_municipalitys_theme() -> None:
    css = "x { --voorbeeld-kleuren-violet-500: #123456; --abs-sun: #abc; }\n@media x { y { --abs-sun: #000000; } }"

    colours = Colours.from_css(css)

    assert (colours.main, colours.sun, colours.dark) == ("#123456", "#abc", Colours().dark)
    assert poster(content(colours=colours)) != poster(CONTENT)


@pytest.mark.parametrize(
    "path", sorted((ROOT_DIR / "static" / "themes").glob("*/theme.css")), ids=lambda path: path.parent.name
)
def test_what_is_printed_on_colour_can_be_read(path: Path) -> None:
    colours = Colours.from_css(path.read_text())
    pairs = [(colours.main, colours.paper), (colours.dark, colours.paper), (colours.ink, colours.paper)]
    pairs += [(colours.dark, "#ffffff"), (colours.dark, colours.soft), (colours.sun_ink, colours.sun)]

    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lights = sorted((light(one), light(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def test_every_letter_of_the_languages_of_the_neighbourhood_is_there() -> None:
    blocks = (range(0xC0, 0x180), range(0x400, 0x460), range(0x621, 0x63B), range(0x641, 0x64B))
    letters = {chr(code) for block in blocks for code in block}
    letters = {letter for letter in letters if unicodedata.category(letter).startswith("L")}

    assert sorted(letter for letter in letters if not printable(letter)) == []
