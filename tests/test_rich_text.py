# SPDX-License-Identifier: EUPL-1.2
"""Texts of residents: what they may do in them, what nobody can do with them, and whose contact details are in them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from justhtml import JustHTML
from markupsafe import Markup

from abs_platform.rich_text import contacts_in, rich_text, without_unseen

SITE = "buurtsamen.example"
LONGEST = 20_000
ALLOWED = {
    "p": set(),
    "br": set(),
    "strong": set(),
    "em": set(),
    "ul": set(),
    "ol": {"start"},
    "li": set(),
    "h3": set(),
    "a": {"href", "class", "rel"},
    "span": {"class"},
}


@pytest.fixture(autouse=True, scope="module")
def _an_app_for_its_language(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def html(text: str) -> str:
    return str(rich_text(text, site_host=SITE))


def assert_harmless(made: str) -> None:
    """Only our own tags and attributes, links that go where links may go, and it means the same when it is read."""
    document = JustHTML(made, fragment=True, collect_errors=True, sanitize=False)
    assert [str(error) for error in document.errors] == []
    for element in document.query("*"):
        assert element.name in ALLOWED, made
        assert set(element.attrs or {}) <= ALLOWED[element.name], made
        if element.name == "a":
            href = element.attrs["href"]
            assert re.match(r"(https?://[^/\\@?#]+([/?#]|$)|mailto:|tel:|/(?![/\\]))", href, re.IGNORECASE), href
            assert element.attrs["rel"] == "nofollow ugc noopener"


# -- what residents may do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Hallo buurt", "<p>Hallo buurt</p>\n"),
        ("Een.\n\nTwee.", "<p>Een.</p>\n<p>Twee.</p>\n"),
        ("Een\r\n\r\nTwee", "<p>Een</p>\n<p>Twee</p>\n"),
        ("Een\nregel", "<p>Een\nregel</p>\n"),
        ("Een  \nregel", "<p>Een<br>\nregel</p>\n"),
        ("**vet** en *schuin* en _ook_", "<p><strong>vet</strong> en <em>schuin</em> en <em>ook</em></p>\n"),
        ("- een\n- twee", "<ul>\n<li>een</li>\n<li>twee</li>\n</ul>\n"),
        ("1. een\n2. twee", "<ol>\n<li>een</li>\n<li>twee</li>\n</ol>\n"),
        ("3. drie", '<ol start="3">\n<li>drie</li>\n</ol>\n'),
        ("# Groot\n\n### Klein", "<h3>Groot</h3>\n<h3>Klein</h3>\n"),
        (r"\*geen\* schuin", "<p>*geen* schuin</p>\n"),
        ("", ""),
        (" \n\n ", ""),
    ],
)
def test_the_marks_that_residents_may_use(text: str, made: str) -> None:
    assert html(text) == made


@pytest.mark.parametrize(
    "text",
    [
        "![kat](/kat.png)",
        "<b>vet</b>",
        "`code`",
        "> citaat",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "    ingesprongen",
        "```\nblok\n```",
        "Kop\n---",
        "***",
        "~~weg~~",
        "#1 in de wijk",
        "2 * 3 * 4 = 24",
        "bestand_van_de_buurt",
        "&copy; &lt;b&gt;",
    ],
)
def test_whatever_else_is_text(text: str) -> None:
    made = html(text)

    assert set(re.findall(r"</?(\w+)", made)) <= {"p", "a", "br"}
    shown = JustHTML(made, fragment=True, sanitize=False).to_text()
    assert [word for word in re.findall(r"\w+", text) if word not in shown and word not in {"kat", "png"}] == []


def test_headings_get_the_level_that_fits_the_page() -> None:
    assert str(rich_text("## Wat we doen", 4)) == "<h4>Wat we doen</h4>\n"


def test_what_comes_out_is_markup_so_that_a_template_does_not_escape_it_again() -> None:
    assert isinstance(rich_text("a < b"), Markup)
    assert html("a < b & c") == "<p>a &lt; b &amp; c</p>\n"


# -- links -------------------------------------------------------------------------------------------------------------


def test_a_link_to_another_site_says_so_for_eyes_and_ears() -> None:
    assert html("[De plannen](https://voorbeeld.example/plan)") == (
        '<p><a href="https://voorbeeld.example/plan" class="utrecht-link abs-link-external" '
        'rel="nofollow ugc noopener">De plannen<span class="abs-hidden"> (andere website)</span></a></p>\n'
    )


@pytest.mark.parametrize("address", ["/hoe-werkt-het", f"https://{SITE}/initiatieven", f"https://{SITE.upper()}/"])
def test_a_link_within_the_site_does_not(address: str) -> None:
    made = html(f"[Kijk]({address})")

    assert 'class="utrecht-link"' in made
    assert "andere website" not in made


@pytest.mark.parametrize("address", ["mailto:anna@voorbeeld.example", "tel:+31546541111"])
def test_a_link_may_start_a_mail_or_a_call(address: str) -> None:
    made = html(f"[Vraag het]({address})")

    assert f'href="{address}"' in made
    assert "andere website" not in made


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("Zie https://voorbeeld.example/a_b_c.", "https://voorbeeld.example/a_b_c", "https://voorbeeld.example/a_b_c"),
        ("Zie (www.voorbeeld.example)!", "https://www.voorbeeld.example", "www.voorbeeld.example"),
        ("<https://voorbeeld.example/>", "https://voorbeeld.example/", "https://voorbeeld.example/"),
        ("https://nl.example/wiki/X_(Y)", "https://nl.example/wiki/X_(Y)", "https://nl.example/wiki/X_(Y)"),
    ],
)
def test_an_address_that_somebody_simply_writes_is_a_link(text: str, address: str, shown: str) -> None:
    made = html(text)

    assert (
        f'<a href="{address}" class="utrecht-link abs-link-external" rel="nofollow ugc noopener">{shown}<span' in made
    )


def test_an_address_inside_a_link_is_not_linked_again() -> None:
    assert html("[https://een.example](https://twee.example)").count("<a ") == 1


@pytest.mark.parametrize("text", ["www.", "https://", "http://...", "www.....", "aanwww.x.nl", "anna@www.x.nl"])
def test_what_only_looks_like_an_address_is_no_link(text: str) -> None:
    assert "<a " not in html(text)


# -- attacks -----------------------------------------------------------------------------------------------------------

BAD_ADDRESSES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "java&#10;script:alert(1)",
    "&#x6A;avascript:alert(1)",
    "javascript&colon;alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:null",
    "https://x.1",
    "https://xn--a.example",
    "https://127.0.0.1/",
    "//kwaad.example",
    "/\\kwaad.example",
    "\\\\kwaad.example",
    "/\t/kwaad.example",
    "https:kwaad.example",
    "https:/kwaad.example",
    "https:\\\\kwaad.example",
    "https://bank.example@kwaad.example",
    "https://bank.example\\@kwaad.example",
    "https://[",
    "https://",
    "mailto:",
    "tel:",
    "mailto://kwaad.example",
    "intent://scan/#Intent;scheme=zxing;end",
    "?next=1",
    "kwaad",
    "#main",
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
@pytest.mark.parametrize(
    "form", ["[klik]({})", "[klik](<{}>)", "<{}>", "[klik][1]\n\n[1]: {}", "{}", "[klik]({} 'titel')"]
)
def test_a_link_leads_nowhere_else(form: str, address: str) -> None:
    made = html(form.format(address))

    assert_harmless(made)
    # What is left leads to the bank that is named, or to a page of ours that does not exist.
    assert not re.search(r'href="(?!https://bank\.example"|/%5C|/%09)', made), made


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "<!--><img src=x onerror=alert(1)>-->",
        "<![CDATA[><img src=x onerror=alert(1)>]]>",
        "<iframe srcdoc='<script>alert(1)</script>'>",
        "<base href='//kwaad.example'>",
        "<template><script>alert(1)</script></template>",
        "<style>@import 'https://kwaad.example'</style>",
        "**<b onmouseover=alert(1)>**</b>",
        '[a](https://x.example "\\" onclick=alert(1) x=\\"")',
        '[a](https://x.example/"onmouseover="alert(1))',
        "[a](https://x.example/'onmouseover='alert(1))",
        '<https://x.example/"onmouseover="alert(1)>',
        'https://x.example/"onmouseover="alert(1)',
        "https://x.example/<img/src=x/onerror=alert(1)>",
        "[<img src=x onerror=alert(1)>](https://x.example)",
        "[a](https://x.example)[b](javascript:alert(1))",
        '<span class="abs-hidden">niet te zien</span>',
        '<p class="utrecht-alert">Van de gemeente</p>',
        "\ud800<script>\udfff",
        "<\x00script>alert(1)</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_no_markup_of_a_writer_comes_through(text: str) -> None:
    made = html(text)

    assert_harmless(made)
    assert "<img" not in made
    assert not re.search(r"<(script|style|svg|math|form|iframe|base|template|noscript)\b", made)
    assert 'class="abs-hidden">niet' not in made


def test_characters_that_turn_or_hide_a_text_are_taken_out() -> None:
    turned = "Betaal aan \u202eLN\u202c \u2066x\u2069\u200b\ufeff en verder\x00\x1b[31m"

    assert without_unseen(turned) == "Betaal aan LN x en verder[31m"
    assert html(f"**{turned}**") == "<p><strong>Betaal aan LN x en verder[31m</strong></p>\n"
    assert "exe.example" in html("[x](https://exe.example/\u202egpj)")
    assert "\u202e" not in html("[x](https://exe.example/\u202egpj)")


def test_what_is_no_trick_stays() -> None:
    text = "Señora Ünal, mw. Şahin: 👨‍👩‍👧 مرحبا\tok"

    assert without_unseen(text) == text


# fmt: off
HUGE = [
    "[", "*", "_", "[](", "[a](b", "[[a](b)", "<", "<a@", "\\", "[](<", "(", "a**b", "*_", "<http://a", ">",
    "https://", "www.", "www.a)", "0", "06-1", "+3", "a@", "a.", "a.b@", "(0",
]
# fmt: on
HUGE += ["- ", "1. ", "- a\n", "# a\n", "* ", "***a_ ", "**a *b ", " ", "\t", "\n", "NL12 ", "1 ", "0 - ", '[a](b "']
HUGE += ["](", "![", "&amp;", "a@b.", "https://a/((((", "(at)", "a(at)b(punt)"]


@pytest.mark.parametrize("piece", HUGE)
def test_a_huge_text_of_one_thing_does_not_take_for_ever(piece: str) -> None:
    text = (piece * LONGEST)[:LONGEST]

    begun = time.process_time()
    made = html(text)
    contacts_in(text)
    took = time.process_time() - begun

    assert took < 10  # of the processor's own time: what grows with the square of the text takes minutes
    assert_harmless(made)


def test_a_list_in_a_list_in_a_list_without_end_is_harmless() -> None:
    assert_harmless(html("".join("  " * depth + "- a\n" for depth in range(140))))


# fmt: off
MARKS = [
    "*", "**", "_", "[", "]", "(", ")", "<", ">", "-", "#", "\\", '"', "'", "&", "a", "x.nl", "https://",
    "javascript:", "www.", "mailto:", "//", "@", "!", "`", "<b>", "<!--", "-->", "é",
]
# fmt: on
MARKS += [" ", "\n", "\n\n", "- ", "1. ", "# ", "\x00", "\u202e", "](https://x.nl"]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(MARKS), max_size=40).map("".join))
def test_no_mixture_of_marks_makes_anything_but_harmless_html(text: str) -> None:
    assert_harmless(html(text))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_at_all_does(text: str) -> None:
    assert_harmless(html(text))
    contacts_in(text)


# -- whose contact details ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "anna@voorbeeld.example",
        "Anna.de-Vries+buurt@mail.voorbeeld.nl",
        "o'brien@voorbeeld.nl",
        "anna (at) voorbeeld.nl",
        "anna[at]voorbeeld.nl",
        "anna @ voorbeeld.nl",
        "anna@voorbeeld (punt) nl",
    ],
)
def test_an_email_address_is_found(written: str) -> None:
    found = contacts_in(f"Meld je bij {written}, of kom langs.")

    assert [(contact.kind, contact.text) for contact in found] == [("email", written)]


@pytest.mark.parametrize(
    "written",
    [
        "06-12345678",
        "06 12345678",
        "0612345678",
        "06 12 34 56 78",
        "06-12 34 56 78",
        "06 - 1234 5678",
        "06.12.34.56.78",
        "(06) 12345678",
        "+31 6 12345678",
        "+31612345678",
        "+31 (0)6 12345678",
        "0031 6 12 34 56 78",
        "0546-541111",
        "0546 54 11 11",
        "(0546) 541111",
        "0546541111",
        "074-2912345",
        "020 123 45 67",
        "+31 546 541111",
        "+49 5923 123456",
        "06\u201112345678",
        "06\u00a01234\u00a05678",
    ],
)
def test_a_telephone_number_is_found(written: str) -> None:
    found = contacts_in(f"Bel {written}. Tot zaterdag 3 mei!")

    assert [(contact.kind, contact.text) for contact in found] == [("phone", written)]


@pytest.mark.parametrize(
    "text",
    [
        "Bel de gemeente op 14 0546.",
        "Bel 14 074 of 112 of 0900-8844 of 0800 1234 of 0800-0511.",
        "Wij wonen op 7609 AB 12 en 7609AB 130.",
        "Het kost € 1.250,00 of 0,65 per stuk, samen 12.345.678,90 euro.",
        "Rekening NL91 ABNA 0417 1643 00 of nl91abna0417164300 of DE89 3704 0044 0532 0130 00.",
        "Op 06-12-2026 14:30 tot 01-02-2027 10.00 uur, of 06/12/2026 09.00-17.00.",
        "In 2026 en 2027, van 1995-2005.",
        "KvK 06012345, BAG 0141200000012345, RSIN 001234567.",
        "Op 52.350812, 6.663145.",
        "Kijk op @buurthuis en om 12:00 @ het plein.",
        "Zaal 3 @ De Schelf",
        "De maten: 0,5 x 10 x 200 cm; 100 200 300 400 500.",
    ],
)
def test_what_only_looks_like_a_contact_is_not(text: str) -> None:
    assert contacts_in(text) == []


def test_contacts_come_once_each_in_the_order_of_the_text() -> None:
    text = "Bel 0546-541111 of mail jan@voorbeeld.nl, of bel 06-12345678. Nogmaals: 0546-541111 (NL91ABNA0417164300)."

    assert [contact.text for contact in contacts_in(text)] == ["0546-541111", "jan@voorbeeld.nl", "06-12345678"]


def test_a_character_that_nobody_sees_hides_no_number() -> None:
    assert [contact.text for contact in contacts_in("06\u200b-1234\u202e5678")] == ["06-12345678"]
