# SPDX-License-Identifier: EUPL-1.2
"""What the letter says around its code: texts with placeholders that the coordinator writes, refused when unknown.

A text may hold only the placeholders below; each version is kept with the round that it was sent with. Nothing in it is
read as markup.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import Schema
from marshmallow.fields import Field

from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Text, load
from abs_platform.municipality import Municipality

PLACEHOLDERS = {
    "bedrag": _l("het bedrag van de voucher"),
    "opent": _l("de eerste dag waarop je kunt geven"),
    "sluit": _l("de laatste dag waarop je kunt geven"),
    "ronde": _l("de naam van de ronde"),
    "site": _l("de naam van dit platform"),
    "adres": _l("het adres van de website"),
    "gemeente": _l("de naam van de gemeente"),
    "wijk": _l("de wijk van het huishouden"),
    "buurt": _l("de buurt van het huishouden"),
    "wijkcentrum": _l("het wijkcentrum van de wijk"),
    "telefoon": _l("het telefoonnummer voor hulp"),
}
# Each speaks its own language: who needs the line knows it by its sight. Arabic runs from right to left.
LANGUAGES = {"en": "English", "tr": "Türkçe", "ar": "العربية", "pl": "Polski", "uk": "Українська"}
RIGHT_TO_LEFT = frozenset({"ar"})
# What fits on the page with usual words; press.check_fits looks at the page itself.
MAX_LENGTHS = {
    "title": 70,
    "greeting": 60,
    "body": 520,
    "online": 200,
    "paper": 230,
    "closing": 60,
    "signature": 120,
    "back_title": 70,
    "back_intro": 260,
    "strip": 190,
}
MAX_LANGUAGE_LINE = 200
LABELS = {
    "title": _l("Kop"),
    "greeting": _l("Aanhef"),
    "body": _l("Brief (een lege regel begint een nieuwe alinea)"),
    "online": _l("Geven met telefoon of computer"),
    "paper": _l("Geven op papier"),
    "closing": _l("Afsluiting"),
    "signature": _l("Ondertekening"),
    "back_title": _l("Kop van de achterkant"),
    "back_intro": _l("Inleiding van de achterkant"),
    "strip": _l("Uitleg op de antwoordstrook"),
    "language_en": _l("Regel in het Engels"),
    "language_tr": _l("Regel in het Turks"),
    "language_ar": _l("Regel in het Arabisch (van rechts naar links)"),
    "language_pl": _l("Regel in het Pools"),
    "language_uk": _l("Regel in het Oekraïens"),
}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# Around what is filled in in a line from right to left, so that it is written from left to right (sheets.py takes them
# away).
_ISOLATED = "\u2066{}\u2069"

_FIELDS: dict[str, Field[Any]] = {
    **{name: Text(most=most) for name, most in MAX_LENGTHS.items()},
    **{f"language_{code}": Text(most=MAX_LANGUAGE_LINE) for code in LANGUAGES},
}
_SCHEMA: Schema = Form.from_dict(_FIELDS)()


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterContent:
    """The texts of a letter, as LetterText.content keeps them; a line of its own for each of LANGUAGES."""

    title: str
    greeting: str
    body: str
    online: str
    paper: str
    closing: str
    signature: str
    back_title: str
    back_intro: str
    strip: str
    language_en: str
    language_tr: str
    language_ar: str
    language_pl: str
    language_uk: str

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Self:
        """Read a form, or what was stored. Raises: InvalidInput with a sentence for each field."""
        texts = load(_SCHEMA, data)
        wrong = {name: refusal for name, text in texts.items() if (refusal := _refusal(text))}
        if wrong:
            raise InvalidInput(" ".join(wrong.values()), fields=wrong)
        return cls(**texts)

    def dump(self) -> dict[str, str]:
        """As LetterText.content keeps it."""
        return asdict(self)

    def filled(self, values: Mapping[str, str]) -> dict[str, str]:
        """All texts with their placeholders filled in."""
        return {name: _fill(name, text, values) for name, text in asdict(self).items()}


def _refusal(text: str) -> str | None:
    """What is wrong with the placeholders of a text, in a sentence; None when nothing is."""
    unknown = [name for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS]
    if unknown:
        sentence: str = _(
            "{%(name)s} kennen we niet. Gebruik: %(known)s.",
            name=unknown[0],
            known=", ".join(f"{{{name}}}" for name in PLACEHOLDERS),
        )
        return sentence
    if set(_PLACEHOLDER.sub("", text)) & set("{}"):
        return str(_("Er staat een losse accolade in. Schrijf een invulplek als {bedrag}."))
    return None


def _fill(name: str, text: str, values: Mapping[str, str]) -> str:
    form = _ISOLATED if name.removeprefix("language_") in RIGHT_TO_LEFT else "{}"
    return _PLACEHOLDER.sub(lambda found: form.format(values[found[1]]), text)


def default_content(municipality: Municipality) -> LetterContent:
    """The letter with which a coordinator begins."""
    return LetterContent(
        title=_("Jouw voucher van {bedrag} voor een idee in de buurt"),
        greeting=_("Beste bewoners,"),
        body=_(
            "Elk huishouden krijgt van de gemeente {gemeente} een voucher van {bedrag}. Je geeft hem aan een "
            "initiatief: iets wat bewoners samen doen voor de buurt. Jij kiest welk.\n\n"
            "Geven kan van {opent} tot en met {sluit}. De voucher is alleen voor initiatieven: je krijgt er geen geld "
            "voor. Geef je hem niet? Dan gaat het bedrag terug naar de gemeente."
        ),
        online=_(
            "Scan de QR-code met je telefoon, of ga naar {adres}/v en vul je code in. Kies een initiatief. "
            "Je hebt geen account nodig."
        ),
        paper=_(
            "Kies een initiatief op de achterkant. Schrijf het nummer op de strook en knip de strook af. "
            "Lever hem in bij {wijkcentrum}, of geef hem aan iemand van het initiatief."
        ),
        closing=_("Met vriendelijke groet,"),
        signature=_("Gemeente %(name)s", name=municipality.name),
        back_title=_("Aan welk initiatief geef jij?"),
        back_intro=_("Eerst zie je initiatieven uit je eigen buurt en wijk. Alle initiatieven staan op {adres}."),
        strip=_("Schrijf het nummer van je keuze in de vakjes. Knip de strook af en lever hem in, uiterlijk {sluit}."),
        **{f"language_{code}": line for code, line in _read_lines().items()},
    )


def _read_lines() -> dict[str, str]:
    lines: dict[str, str] = tomllib.loads((Path(__file__).parent / "languages.toml").read_text(encoding="utf-8"))
    return lines
