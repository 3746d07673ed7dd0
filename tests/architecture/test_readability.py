# SPDX-License-Identifier: EUPL-1.2
"""Dutch that everybody can read (level B1): short sentences, and no word that only offices use.

All texts are looked at: those of templates, mails and code, the rules check, and the pages of words as they come with
the platform. Texts of residents and of the demo are theirs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir

from tests.architecture.source import PACKAGE_DIR, ROOT_DIR

MOST_WORDS_ON_AVERAGE = 15
MOST_WORDS = 25
FUNCTIONS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
# After what the government's own lists for clear language (Taalunie, Direct Duidelijk) tell writers to leave out.
OFFICIALESE = tuple(
    """
    aangaande; aanvang; abusievelijk; adequaat; alsmede; alvorens; ambtshalve; behoudens; bewerkstelligen; bijgevolg;
    conform; daaromtrent; derhalve; desalniettemin; desbetreffende; desgewenst; dienen; dient; doch; doelstelling;
    door middel van; echter; effectueren; eveneens; evenwel; faciliteren; fungeren; gaarne; gedurende; geenszins;
    gelieve; geschieden; geschiedt; hetgeen; hierbij; hieromtrent; hiertoe; hoedanigheid; immer; implementatie;
    implementeren; in acht; in afwijking van; in het kader van; in verband met; indien; inzake; jegens; kenbaar;
    kennisgeving; krachtens; met betrekking tot; met inachtneming van; middels; mits; momenteel; naar aanleiding van;
    nadien; nagenoeg; niettegenstaande; niettemin; noodzakelijk; omtrent; omwille; ondergetekende; onderhavige;
    onverwijld; op basis van; opdat; optimaliseren; overeenkomstig; participatie; participeren; per ommegaande; pogen;
    prioriteit; realiseren; reeds; relevant; respectievelijk; retourneren; sedert; slechts; stakeholder; stakeholders;
    te allen tijde; te zijner tijd; ten aanzien van; ten behoeve van; ten gevolge van; ten opzichte van; teneinde;
    tenzij; ter zake; terstond; tevens; thans; toezenden; trachten; u; uitsluitend; uw; verleend; verlenen; vernemen;
    verstrekken; verstrekt; verzoeken; vigerend; vigerende; voornemens; voornoemd; voornoemde; voorts; waarborgen;
    wederom; wenselijk; zodanig; zorgdragen
    """.replace("\n", " ").split(";")
)
# (where, word): why it is right there.
ALLOWED_WORDS = {
    ("abs_platform/municipalities/almelo/rulebook.toml", "inzake"): "it stands in the name of a law",
}
# The first words of a sentence that is longer than MOST_WORDS: why it is not cut in two.
ALLOWED_LONG: dict[str, str] = {}
_SENTENCE = re.compile(r"[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]+(?=\s|$|[”\"')*])")
_WORD = re.compile(r"[\w€%'-]+")


def sentences_of(text: str) -> list[str]:
    """The whole sentences of a text; what has no full stop is a label or a heading."""
    plain = re.sub(r"%\(\w+\)[sd]|\{\w+\}", "X", text)
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", plain)
    blocks = re.split(r"\n\s*\n|\n(?=[-#\d])", plain)
    return [found.strip() for block in blocks if not block.startswith("#") for found in _SENTENCE.findall(block)]


def count_words(sentence: str) -> int:
    return len(_WORD.findall(sentence))


def office_words(text: str) -> list[str]:
    """The words of an office in a text."""
    words = (word.strip() for word in OFFICIALESE)
    return [word for word in words if re.search(rf"(?<![\w-]){word}(?![\w-])", text, re.IGNORECASE)]


def texts_of_code() -> Iterator[tuple[str, str]]:
    """Every text that goes through gettext, with the file that holds it."""
    kinds = {"templates": [("**.html", "jinja2"), ("**.txt", "jinja2")], "abs_platform": [("**.py", "python")]}
    for folder, methods in kinds.items():
        found = extract_from_dir(
            ROOT_DIR / folder,
            method_map=methods,
            options_map={"**.html": {"trimmed": "true"}, "**.txt": {"trimmed": "true"}},
            keywords=FUNCTIONS,
        )
        for name, _line, message, _comments, _context in found:
            for text in (message,) if isinstance(message, str) else message:
                if text:
                    yield f"{folder}/{name}", text


def texts_of_pages() -> Iterator[tuple[str, str]]:
    """The pages of words as they come with the platform."""
    for path in (PACKAGE_DIR / "site_texts" / "defaults" / "nl").glob("*.md"):
        yield path.relative_to(ROOT_DIR).as_posix(), path.read_text(encoding="utf-8")


def texts_of_rules_checks() -> Iterator[tuple[str, str]]:
    """Questions and advice that come with a municipality."""
    for path in PACKAGE_DIR.glob("municipalities/*/rulebook.toml"):
        for text in _strings(tomllib.loads(path.read_text(encoding="utf-8"))):
            yield path.relative_to(ROOT_DIR).as_posix(), text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    """All Dutch texts by where they stand."""
    found: dict[str, list[str]] = {}
    for where, text in (*texts_of_code(), *texts_of_pages(), *texts_of_rules_checks()):
        found.setdefault(where, []).append(text)
    assert len(found) > 300
    return found


def test_sentences_are_short_on_every_page_and_over_all(texts: dict[str, list[str]]) -> None:
    counts = {
        where: [count_words(sentence) for text in pieces for sentence in sentences_of(text)]
        for where, pieces in texts.items()
    }
    everything = [words for found in counts.values() for words in found]

    wordy = {where: sum(found) / len(found) for where, found in counts.items() if found}
    assert {where: mean for where, mean in wordy.items() if mean >= MOST_WORDS_ON_AVERAGE} == {}
    assert len(everything) > 3_000
    assert sum(everything) / len(everything) < MOST_WORDS_ON_AVERAGE


def test_no_sentence_goes_on_and_on(texts: dict[str, list[str]]) -> None:
    long = {
        sentence: where
        for where, pieces in texts.items()
        for text in pieces
        for sentence in sentences_of(text)
        if count_words(sentence) > MOST_WORDS
    }
    told = {begin for begin in ALLOWED_LONG if any(sentence.startswith(begin) for sentence in long)}

    assert {sentence for sentence in long if not sentence.startswith(tuple(ALLOWED_LONG) or ("\0",))} == set()
    assert set(ALLOWED_LONG) - told == set(), "these are not there any more: take their reasons away"


def test_no_word_is_one_that_only_offices_use(texts: dict[str, list[str]]) -> None:
    found = {(where, word) for where, pieces in texts.items() for word in office_words("\n".join(pieces))}

    assert found - set(ALLOWED_WORDS) == set()
    assert set(ALLOWED_WORDS) - found == set(), "these are not there any more: take their reasons away"


def test_the_measure_finds_what_is_hard_to_read() -> None:
    hard = "Indien u niet akkoord gaat, dient u zulks te allen tijde schriftelijk kenbaar te maken. Doe dat nu."

    assert [count_words(sentence) for sentence in sentences_of(hard)] == [15, 3]
    assert office_words(hard) == ["dient", "indien", "kenbaar", "te allen tijde", "u"]
    assert office_words("Je kunt de buur bellen, of mailen: dienst en uur maken niet uit.") == []
    assert sentences_of("## Kop zonder zin\n\n- Kort. Nog korter\n- {bedrag} is genoeg.") == [
        "- Kort.",
        "- X is genoeg.",
    ]
