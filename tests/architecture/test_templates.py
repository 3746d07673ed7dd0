# SPDX-License-Identifier: EUPL-1.2
"""Every text on a screen goes through gettext; a template has no inline style or script and nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.architecture.source import ROOT_DIR

TEMPLATES_DIR = ROOT_DIR / "templates"
TEMPLATES = sorted(path.relative_to(TEMPLATES_DIR).as_posix() for path in TEMPLATES_DIR.rglob("*.html"))
# It stands alone: when all else is broken it must still be there.
WITHOUT_GETTEXT = {"errors/500.html"}
# Mail programs read no style sheet: the frame of a mail and its parts carry theirs. A mail itself has none either.
WITH_STYLE = {"emails/base.html", "emails/parts.html"}
READ_ALOUD = ("aria-label", "alt", "placeholder", "title", "aria-description", "label")
# Where one may pass a page on to, by a link that nothing is fetched from until it is followed.
SHARING, SHARED_WITH = "components/share.html", "https://wa.me/"
EXAMPLES = {"K7QJ-4MXP-9T2C"}
ATTRIBUTES = re.compile(r'[\w-]+="[^"]*"')  # a macro may write only the attributes of a tag
WORD = re.compile(r"[^\W\d_]{2,}")


class Texts(HTMLParser):
    """Collects what a reader sees of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        words = ATTRIBUTES.sub("", data).strip()
        if WORD.search(words) and words not in EXAMPLES:
            self.found.append(words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            f"{tag} {name}={value}" for name, value in attrs if name in READ_ALOUD and WORD.search(value or "")
        ]


def texts_outside_gettext(source: str) -> list[str]:
    """The words of a template that no translator would see. What Jinja puts in is no word of the template."""
    tree = Environment(autoescape=True).parse(source)  # it renders nothing
    texts = Texts()
    for output in tree.find_all(nodes.Output):
        for part in output.nodes:
            if isinstance(part, nodes.Const) and isinstance(part.value, str) and WORD.search(part.value):
                texts.found.append(part.value)
    texts.feed(_html_of(source))
    texts.close()
    return texts.found


def _html_of(source: str) -> str:
    without_comments = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    return re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", without_comments, flags=re.DOTALL)


def read(name: str) -> str:
    return (Path(TEMPLATES_DIR) / name).read_text()


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name not in WITHOUT_GETTEXT])
def test_every_text_of_a_template_goes_through_gettext(name: str) -> None:
    assert texts_outside_gettext(read(name)) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hallo</p>", ["Hallo"]),
        ('<img alt="Een boom">', ["img alt=Een boom"]),
        ('{{ "Hallo" }}', ["Hallo"]),
        ('{% if x %}<b class="abs-x">Meer</b>{% endif %}', ["Meer"]),
        ('<p>{{ _("Hallo") }} <i>·</i> {{ name }}: 3</p>', []),
        ("{# Een opmerking #}", []),
    ],
)
def test_the_rule_of_the_test_above_sees_each_kind_of_text(source: str, found: list[str]) -> None:
    assert texts_outside_gettext(source) == found


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_has_no_inline_style_or_script_and_takes_nothing_from_elsewhere(name: str) -> None:
    source = read(name)

    assert name in WITH_STYLE or not re.search(r"<style|\sstyle=", source)
    # Data for search engines is no script: nothing runs it.
    scripts = source.replace('<script type="application/ld+json">', "")
    assert not re.search(r"\son[a-z]+=|<script(?![^>]*\ssrc=)", scripts)
    links = source if name != SHARING else re.sub(f'href="{SHARED_WITH}', "", source)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", links)
    assert "|safe" not in source.replace(" ", "")
