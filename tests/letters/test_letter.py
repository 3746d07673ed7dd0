# SPDX-License-Identifier: EUPL-1.2
"""A letter as it is printed, read back: the address in the window, the code, the QR, every sign that the BAG has."""

from __future__ import annotations

import datetime as dt
import random

import pypdfium2
import pytest
import segno
from flask import Flask
from pypdfium2 import raw

from abs_platform.errors import InvalidInput
from abs_platform.letters import press
from abs_platform.letters.choices import MOST, pick, shortened
from abs_platform.letters.content import LANGUAGES, MAX_LENGTHS, PLACEHOLDERS, LetterContent, default_content
from abs_platform.letters.printing import Candidate
from abs_platform.letters.qr import BITS, MASK, qr_press
from abs_platform.letters.sheets import Issue, Place, Printer, Sender, as_json
from abs_platform.letters.specimen import CODE
from abs_platform.letters.typesetter import typeset
from abs_platform.municipality import Municipality
from abs_platform.vouchers.codes import ALPHABET, CodeError, format_payload, read_code
from tests.letters.making import pictures, printed_codes, qr_of, text_in, texts

BASE = "https://buurtsamen.voorbeeld.example/v#"
SENDER = Sender(
    name="Gemeente Voorbeeld",
    town="Voorbeeld",
    site_name="Voorbeeld Buurt Samen",
    website="buurtsamen.voorbeeld.example",
    code_address=BASE,
    address="Raadhuisplein 1, 1234 AB Voorbeeld",
    phone="14 0123",
    email="buurt@voorbeeld.example",
)
ISSUE = Issue(name="Najaar 2026", amount_cents=750, opens_on=dt.date(2026, 12, 1), last_on=dt.date(2026, 12, 31))
HELP = {
    "name": "Wijkcentrum De Schelf",
    "address": "Binnenhof 53, 1234 CD Voorbeeld",
    "opening_hours": "maandag tot en met vrijdag van 9.00 tot 17.00 uur",
    "phone": "0123 45 67 89",
}
CHOICES = [
    {"id": 7, "title": "Een bank onder de bomen", "place": "Op het plein, Noord", "group": "neighbourhood"},
    {"id": 1234, "title": "Samen koken op woensdag", "place": "De Schelf, Zuid", "group": "district"},
    {"id": 99, "title": "Zwemles voor iedereen", "place": "Het zwembad, Voorbeeld", "group": "city"},
]
# Every sign that stands in a street's name of the BAG somewhere in the country, or may come to stand there.
ODD_STREETS = (
    "'t Zand", "Sint Jan's Straat", "IJsseldijk", "Ĳsseldijk", "Één-aprilstraat", "Façadepad", "Ångströmweg",
    "Curaçaostraat", "Händellaan", "Løvenskioldlaan", "Łódźstraat", "Škodalaan", "Ñandúpad", "Œuvreweg", "Bêche",
    "Ir. D.S. Tuijnmanweg", "1e Oosterparkstraat", "Plein 1940-1945", "A/B-laan", "Straat (zuid)", "Hof & Haard",
    "Ğ. Şahinstraat", "Frysk Wâldwei", "Ds. Ü. Öztürkpad", "L\u2019Aigleplein", "Kapitein-ter-zee Von Römerstraat",
    "Burgemeester Van Nispen van Sevenaerstraat-Oost",
)  # fmt: skip


def sheets(
    letters: list[tuple[int, tuple[str, str], str]],
    content: LetterContent | None = None,
    choices: list[dict[str, object]] | None = None,
    help_point: dict[str, str] | None = HELP,
    printer: Printer | None = None,
) -> bytes:
    place = Place(
        neighbourhood="Noord", district="Oost", help_point=help_point, choices=CHOICES if choices is None else choices
    )
    return typeset(
        as_json(
            content or default_content(Municipality.load("almelo")),
            SENDER,
            ISSUE,
            {5: place},
            letters,
            qr=qr_press(BASE),
            printer=printer or Printer(),
        )
    )


def one(code: str = "K7QJ-4MXP-9T2C", address: tuple[str, str] = ("Dorpsstraat 1-A", "1234 AB  VOORBEELD")) -> list:
    return [(5, address, code)]


@pytest.fixture(autouse=True)
def _language(app: Flask):
    with app.app_context():
        yield


def test_the_qr_and_the_code_of_two_hundred_random_letters_are_those_of_the_letter() -> None:
    chance = random.Random(5)
    codes = [format_payload(chance.getrandbits(55)) for _ in range(200)]

    pdf = sheets([(5, (f"Dorpsstraat {number}", "1234 AB  VOORBEELD"), code) for number, code in enumerate(codes)])

    pages = list(pictures(pdf, dpi=80))
    wanted = [BASE + code.replace("-", "") for code in codes]
    assert [qr_of(page) for page in pages[::2]] == [[url] for url in wanted]
    assert [qr_of(page) for page in pages[1::20]] == [[url] for url in wanted[::10]], "on the strip too"
    assert printed_codes(pdf) == [code.replace("-", " ") for code in codes]


@pytest.mark.parametrize("code", ["0" * 12, "Z" * 12, "K7QJ4MXP9T2C", ALPHABET[8:20]])
def test_the_quick_qr_is_the_one_that_segno_draws(code: str) -> None:
    drawn = segno.make_qr(BASE + code, mode="byte", error="m", mask=MASK, boost_error=False)

    path = qr_press(BASE).path(code)

    dark = set()
    for stroke in path.split("M")[1:]:
        start, _, length = stroke.partition("h")
        x, _, y = start.partition(" ")
        dark |= {(int(x) + step, int(float(y))) for step in range(int(length))}
    assert dark == {(x, y) for y, row in enumerate(drawn.matrix) for x, module in enumerate(row) if module}
    assert max(map(ord, ALPHABET)) < 1 << BITS


@pytest.mark.parametrize("street", ODD_STREETS)
def test_a_street_stands_in_the_window_as_the_bag_writes_it(street: str) -> None:
    printer = Printer()

    address = printer.address((f"{street} 12a-bis", "1234 AB  'S-GRAVENHAGE"))

    assert printer.replaced == set()
    assert address == [f"{street} 12a-bis", "1234\u00a0AB\u00a0\u00a0'S-GRAVENHAGE"]


def test_all_odd_streets_print_inside_the_window_of_the_envelope_and_nothing_else_does() -> None:
    letters = [(5, (f"{street} 12", "1234 AB  VOORBEELD"), "K7QJ-4MXP-9T2C") for street in ODD_STREETS]

    pdf = sheets(letters)

    for number, street in enumerate(ODD_STREETS):
        # The window shows 20 to 110 mm from the left and, wherever the letter slides, 45 to 79 mm from the top.
        lines = text_in(pdf, 2 * number, (20, 49, 110, 80)).split("\r\n")
        assert lines[0] == "Aan de bewoners van"
        assert "".join(lines[1:-1]).replace(" ", "") == f"{street} 12".replace(" ", "")
        assert lines[-1] == "1234 AB  VOORBEELD"
        assert text_in(pdf, 2 * number, (0, 44, 210, 50)).startswith("Retour: Gemeente Voorbeeld")
        assert text_in(pdf, 2 * number, (110, 45, 210, 85)).strip() == ""


def test_a_sign_that_no_font_has_is_replaced_for_all_to_see_and_told() -> None:
    printer = Printer()

    pdf = sheets(one(address=("Straat 中 \U0001f333 \u0007 1", "1234 AB  VOORBEELD")), printer=printer)

    assert printer.replaced == {"中", "\U0001f333"}
    assert "Straat ? ? 1" in text_in(pdf, 0, (20, 45, 110, 80))


def test_the_front_says_what_it_is_and_where_to_get_help() -> None:
    front, back = texts(sheets(one()))

    flat = " ".join(front.split())
    for part in (
        "€ 7,50", "1 december 2026", "31 december 2026", "Wijkcentrum De Schelf", "Binnenhof 53", "0123 45 67 89",
        "K7QJ 4MXP 9T2C", "This letter holds a voucher", "mahallenizdeki", "Zeskanuj kod QR", "ініціативі",
    ):  # fmt: skip
        assert part in flat, part
    assert "K7QJ 4MXP 9T2C" in back
    for choice in CHOICES:
        assert f"{choice['id']}" in back
        assert str(choice["title"]) in back
    assert back.index("Een bank") < back.index("Samen koken") < back.index("Zwemles")


def test_where_there_is_no_desk_the_municipality_helps_and_without_choices_the_back_says_so() -> None:
    front, back = texts(sheets(one(), help_point=None, choices=[]))

    assert "Telefoon: 14 0123" in front
    assert "nog geen initiatieven" in back
    assert "Lever de strook in bij Gemeente Voorbeeld" in " ".join(back.split())


def tags_of(pdf: bytes, page: int) -> list[tuple[str, str]]:
    """The tags of a page in the order in which they are read, with their language."""
    found = []

    def text(ask: object, element: object) -> str:
        length = ask(element, None, 0)  # type: ignore[operator]
        buffer = raw.ctypes.create_string_buffer(length)
        ask(element, buffer, length)  # type: ignore[operator]
        return buffer.raw[: max(0, length - 2)].decode("utf-16-le")

    def walk(element: object) -> None:
        found.append((text(raw.FPDF_StructElement_GetType, element), text(raw.FPDF_StructElement_GetLang, element)))
        for at in range(raw.FPDF_StructElement_CountChildren(element)):
            if child := raw.FPDF_StructElement_GetChildAtIndex(element, at):
                walk(child)

    document = pypdfium2.PdfDocument(pdf)
    tree = raw.FPDF_StructTree_GetForPage(document[page])
    for at in range(raw.FPDF_StructTree_CountChildren(tree)):
        walk(raw.FPDF_StructTree_GetChildAtIndex(tree, at))
    return found


def test_it_is_tagged_for_who_has_it_read_aloud() -> None:
    pdf = sheets(one())

    front, back = tags_of(pdf, 0), tags_of(pdf, 1)

    assert b"pdfuaid:part" in pdf
    names = [name for name, _language in front]
    assert names.count("H1") == 1
    assert names.index("H1") < names.index("H2")
    assert [language for _name, language in front if language] == list(LANGUAGES)
    assert {"Figure", "P"} <= set(names)
    assert [name for name, _language in back].count("H3") == 3


def test_a_specimen_can_be_no_voucher(app: Flask) -> None:
    content = default_content(app.extensions["settings"].municipality)

    pdf = press.preview(content)

    with pytest.raises(CodeError):
        read_code(CODE)
    assert printed_codes(pdf) == [CODE.replace("-", " ")]
    assert [page[:4] for page in press.preview_pages(content)] == [b"\x89PNG"] * 2


@pytest.mark.parametrize("field", ["body", "title", "back_intro", "strip"])
def test_a_text_that_does_not_fit_on_the_page_is_refused_beside_its_field(app: Flask, field: str) -> None:
    content = default_content(app.extensions["settings"].municipality).dump()
    content[field] = ("W" * 20 + "\n\n") * (MAX_LENGTHS[field] // 22) + "W" * 60

    with pytest.raises(InvalidInput, match="past niet op de brief") as refused:
        press.check_fits(LetterContent(**content))

    assert list(refused.value.fields) == [field]


def test_the_longest_texts_of_usual_words_fit(app: Flask) -> None:
    content = default_content(app.extensions["settings"].municipality).dump()
    words = "samen maken we de buurt een stuk mooier voor iedereen die er woont en "
    for field in ("body", "online", "paper", "back_intro", "strip"):
        content[field] = (words * 12)[: MAX_LENGTHS[field]]

    press.check_fits(LetterContent.load(content))


def test_an_unknown_placeholder_or_a_loose_brace_is_refused(app: Flask) -> None:
    content = default_content(app.extensions["settings"].municipality).dump()

    with pytest.raises(InvalidInput) as refused:
        LetterContent.load(content | {"title": "Voor {naam}", "body": "Een losse {"})

    assert set(refused.value.fields) == {"title", "body"}
    assert "{naam}" in refused.value.fields["title"]
    assert all(f"{{{name}}}" in refused.value.fields["title"] for name in PLACEHOLDERS)


def candidate(number: int, *, givers: int = 5, days_old: int = 50, days_left: int = 50) -> Candidate:
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    return Candidate(
        id=number,
        title="Iets",
        place="Hier",
        area_id=1,
        area_name="Noord",
        level="neighbourhood",  # type: ignore[arg-type]
        published_at=now - dt.timedelta(days=days_old),
        deadline_on=now.date() + dt.timedelta(days=days_left),
        givers=givers,
    )


def test_where_more_want_a_place_than_there_are_new_and_small_ones_get_theirs() -> None:
    clubs = [candidate(number, givers=500 + number) for number in range(1, 20)]
    new, small, soon = candidate(50, days_old=1), candidate(60, givers=0), candidate(70, days_left=2)

    picked = pick([*clubs, new, small, soon], 3)

    assert picked == [new, small, soon]
    assert len(pick(clubs, MOST)) == MOST
    assert pick(clubs[::-1], 100) == clubs


def test_a_long_title_is_cut_between_words() -> None:
    assert shortened("Een bank onder de bomen", 17) == "Een bank onder…"
    assert shortened("Een  bank\nhier", 20) == "Een bank hier"
    assert shortened("W" * 30, 10) == "W" * 9 + "…"
