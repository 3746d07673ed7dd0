# SPDX-License-Identifier: EUPL-1.2
"""No text stands outside the catalogues, and English has all of them."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Message

from abs_platform.municipality import PACKAGE_DIR
from tests.languages.places import catalogue, is_for_staff, messages, texts

_FIELD = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w*)\}")


def key_of(message: Message) -> str | tuple[str, ...]:
    """What a text is known by."""
    return tuple(message.id) if isinstance(message.id, (list, tuple)) else str(message.id)


def test_the_catalogue_has_the_texts_of_templates_and_code() -> None:
    assert {key_of(message) for message in messages("en")} == set(texts()), "run bin/translations"


def test_english_has_every_text_that_residents_see() -> None:
    seen = {text for text, places in texts().items() if not all(is_for_staff(place) for place in places)}

    missing = [key_of(message) for message in messages("en") if key_of(message) in seen and not is_translated(message)]

    assert missing == []


def is_translated(message: Message) -> bool:
    """Whether all forms are there, and nobody has to look at them again."""
    forms = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    return all(forms) and not message.fuzzy


def test_a_translation_has_the_fields_of_its_text() -> None:
    wrong = []
    for message in messages("en"):
        if not is_translated(message):
            continue
        ids, forms = (one if isinstance(one, (list, tuple)) else [one] for one in (message.id, message.string))
        for form in forms:
            known = {field for text in ids for field in _FIELD.findall(text)}
            used = set(_FIELD.findall(form))
            # The form for one may leave the number out; every other field has to be there.
            needed = set(_FIELD.findall(ids[0])) & set(_FIELD.findall(ids[-1])) if len(ids) > 1 else known
            if not (needed - {("num", ""), ("count", "")} <= used <= known | {("num", "")}):
                wrong.append((ids[0], form))
    assert wrong == []


@pytest.mark.parametrize("language", ["en"])
def test_the_compiled_catalogue_is_that_of_today(language: str) -> None:
    folder = PACKAGE_DIR / "translations" / language / "LC_MESSAGES"

    assert len(catalogue(language)) > 0
    assert (folder / "messages.mo").stat().st_mtime >= (folder / "messages.po").stat().st_mtime, "run bin/setup"
