# SPDX-License-Identifier: EUPL-1.2
"""Every mail: text and HTML with the same links, in plain words, through gettext, readable in any light."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from flask import Flask
from justhtml import JustHTML

from abs_platform import outbox
from abs_platform.outbox import RenderedMail
from tests.architecture.source import ROOT_DIR
from tests.architecture.test_templates import texts_outside_gettext
from tests.mail.letters import CONTEXT, EXAMPLE, know_the_example
from tests.mail.samples import SAMPLES

FOLDER = ROOT_DIR / "templates" / "emails"
FRAME = {"base", "parts"}
NAMES = {path.stem for path in FOLDER.iterdir()} - FRAME
MOST_WORDS = 15
MOST_CHARACTERS_OF_A_SUBJECT = 78
URL = re.compile(r"https?://[^\s<>\"]+")
ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>,]+\.\w+")


@pytest.fixture(params=["example", *sorted(SAMPLES)])
def mail(app: Flask, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RenderedMail:
    """Each mail with its sample."""
    know_the_example(app, monkeypatch)
    with app.app_context():
        return outbox.preview(request.param, **({"example": CONTEXT} | SAMPLES)[request.param])


def links(html: str) -> set[str]:
    return {unescape(found) for found in re.findall(r'href="(https?://[^"]+)"', html)}


def words_of(text: str) -> float:
    """How long the sentences of a plain text are, on average; its footer and what others wrote left out."""
    body = text.partition("\n--\n")[0]
    own = (line for line in body.splitlines() if not line.startswith(">") and not URL.search(line))
    sentences = [sentence for sentence in re.split(r"[.!?:]\s+|\n+", "\n".join(own)) if len(sentence.split()) > 2]
    return sum(len(sentence.split()) for sentence in sentences) / max(1, len(sentences))


def test_every_mail_is_a_pair_and_has_a_sample() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{name}.{kind}" for name in NAMES | FRAME for kind in ("txt", "html")
    }
    assert set(SAMPLES) == NAMES


def test_text_and_html_hold_the_same_links_and_all_are_whole(app: Flask, mail: RenderedMail) -> None:
    base_url = app.extensions["settings"].base_url
    in_text = {found.rstrip(".,)") for found in URL.findall(mail.text)}

    assert in_text == links(mail.html)
    assert base_url in in_text
    assert re.findall(r'href="(?!https?://|mailto:|tel:)[^"]*"', mail.html) == []
    assert {urlsplit(url).path for url in in_text if url.startswith(base_url)}


def test_text_and_html_hold_the_same_addresses_to_write_to(mail: RenderedMail) -> None:
    assert set(ADDRESS.findall(mail.text)) == set(re.findall(r'href="mailto:([^"]+)"', mail.html))


def test_a_subject_says_in_one_short_line_what_it_is_about(mail: RenderedMail) -> None:
    assert 5 <= len(mail.subject) <= MOST_CHARACTERS_OF_A_SUBJECT
    assert "\n" not in mail.subject
    assert not mail.subject.isupper()
    assert "!" not in mail.subject


def test_sentences_are_short(mail: RenderedMail) -> None:
    assert words_of(mail.text) <= MOST_WORDS


def test_the_html_is_valid_dutch_and_needs_no_picture_table_or_style_sheet(mail: RenderedMail) -> None:
    document = JustHTML(mail.html, collect_errors=True, sanitize=False)

    assert [str(error) for error in document.errors] == []
    assert document.query("html")[0].attrs["lang"] == "nl"
    assert document.query("title")[0].to_text().strip() == mail.subject
    assert len(document.query("h1")) == 1
    assert document.query("table, img, style, script, link, form, iframe") == []
    assert document.query('meta[name="color-scheme"]')[0].attrs["content"] == "light dark"
    assert document.query("a:not([href])") == []


def test_a_mail_has_no_colour_of_ink_without_its_paper(mail: RenderedMail) -> None:
    for style in re.findall(r'style="([^"]*)"', mail.html):
        named = {part.partition(":")[0].strip() for part in style.split(";")}
        assert ("color" in named) == bool(named & {"background", "background-color"})


def test_nothing_of_the_template_is_left_and_nothing_is_missing(mail: RenderedMail) -> None:
    for text in (mail.subject, mail.text, mail.html):
        assert re.findall(r"\{[{%#]|%\(\w+\)s|\bNone\b|\bUndefined\b", text) == []
    assert "\n\n\n" not in mail.text
    assert re.findall(r"^[ \t]|[ \t]$", mail.text, re.MULTILINE) == []


def test_the_footer_says_who_sends_it_why_and_whom_to_ask(app: Flask, mail: RenderedMail) -> None:
    town = app.extensions["settings"].municipality
    footer = mail.text.rpartition("\n--\n")[2]

    assert footer
    for said in (town.site_name, town.contact_email, town.contact_phone, "Je krijgt deze mail"):
        assert said in footer
        assert said in mail.html


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.txt")))
def test_every_text_of_a_plain_mail_goes_through_gettext(name: str) -> None:
    assert texts_outside_gettext((FOLDER / name).read_text()) == []


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_a_mail_has_absolute_links_only(name: str) -> None:
    source = re.sub(r"\{#.*?#\}", "", (FOLDER / name).read_text(), flags=re.DOTALL)

    assert "url_for(" not in source
    assert "|safe" not in source.replace(" ", "")


def test_the_rules_of_these_tests_tell_right_from_wrong() -> None:
    assert texts_outside_gettext(EXAMPLE["emails/example.txt"]) == []
    assert texts_outside_gettext("Hallo {{ name }}") == ["Hallo"]
    assert words_of("Dit zijn vier woorden. En dit zijn er zelfs zes.\n") == 5
    assert words_of(" ".join(["woord"] * 40)) == 40
    assert links('<a href="https://x.example/?a=1&amp;b=2">') == {"https://x.example/?a=1&b=2"}
