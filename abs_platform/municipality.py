# SPDX-License-Identifier: EUPL-1.2
"""Whose platform this is, read from the folder of a municipality, and the numbers of the rules of the game."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

PACKAGE_DIR = Path(__file__).parent


class ConfigurationError(Exception):
    """What is wrong with the settings, all of it at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The numbers of the rules of the game (design.md section 3); a municipality may set its own."""

    voucher_amount_cents: int = 750
    kept_valid_days: int = 365
    returned_valid_days: int = 60
    min_target_cents: int = 5_000
    max_target_cents: int = 500_000
    max_deadline_days: int = 365
    min_organisers: int = 3
    wrong_codes_per_hour: int = 10
    alarm_wrong_codes_per_hour: int = 100
    max_voucher_amount_cents: int = 5_000
    settled_after_days: int = 30
    max_gone_percent: int = 10
    answer_working_days: int = 10
    min_gift_cents: int = 100
    checkout_minutes: int = 30
    refund_window_days: int = 180
    young_account_days: int = 30
    max_kept_vouchers: int = 10
    large_batch_codes: int = 100
    large_batch_hours: int = 48
    objection_days: int = 7
    addresses_fresh_days: int = 60
    replacements_per_client: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Municipality:
    """Whose platform this is: all that differs from one municipality to the next, read from its folder."""

    folder: Path
    name: str
    code: str
    site_name: str
    tagline: str
    theme: str
    contact_email: str
    contact_phone: str
    contact_address: str
    website: str
    villages: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ()
    taglines: Mapping[str, str] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)

    def tagline_in(self, language: str) -> str:
        """What it is in one sentence, in this language if the municipality said it in that."""
        return self.taglines.get(language, self.tagline)

    @property
    def areas_csv(self) -> Path:
        """The packaged list of areas: code,naam,niveau,ouder_code."""
        return self.folder / "areas.csv"

    @property
    def rulebook_toml(self) -> Path:
        """The rules check with which the coordinator begins."""
        return self.folder / "rulebook.toml"

    @property
    def catalogues(self) -> str:
        """Where translated texts stand: the municipality's own, which may add a language, and ours."""
        places = (self.folder / "translations", PACKAGE_DIR / "translations")
        return ";".join(str(place) for place in places if place.is_dir())

    @property
    def demo_dir(self) -> Path:
        """Where the demo's streets and initiatives stand."""
        return self.folder / "demo"

    @classmethod
    def load(cls, name_or_path: str) -> Self:
        """Read ``municipality.toml`` of a packaged municipality (by name) or of any folder (by path).

        Raises: ConfigurationError naming the file and the key.
        """
        packaged = PACKAGE_DIR / "municipalities" / name_or_path
        folder = packaged if packaged.is_dir() else Path(name_or_path)
        path = folder / "municipality.toml"
        try:
            data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigurationError(f"ABS_MUNICIPALITY={name_or_path}: {path} cannot be read") from error
        except ValueError as error:  # not TOML, or not UTF-8
            raise ConfigurationError(f"{path}: {error}") from error
        special: dict[str, Any] = {
            "rules": _rules(path, data.pop("rules", {})),
            "villages": frozenset(_texts(path, "villages", data.pop("villages", []))),
            "languages": _languages(path, data.pop("languages", [])),
            "taglines": _taglines(path, data.pop("taglines", {})),
        }
        _refuse_unknown(path, data, {f.name for f in fields(cls)} - {"folder", *special}, "")
        if bad := [key for key, value in data.items() if not isinstance(value, str)]:
            raise ConfigurationError(f"{path}: {bad[0]} must be a text")
        try:
            return cls(folder=folder, **special, **data)
        except TypeError as error:
            raise ConfigurationError(f"{path}: {error}") from error


def _rules(path: Path, given: Any) -> Rules:
    if not isinstance(given, dict):
        raise ConfigurationError(f"{path}: rules must be a table")
    _refuse_unknown(path, given, {f.name for f in fields(Rules)}, "rules.")
    if bad := [key for key, value in given.items() if type(value) is not int or value <= 0]:
        raise ConfigurationError(f"{path}: rules.{bad[0]} must be a whole number above 0")
    return Rules(**given)


def _texts(path: Path, key: str, given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise ConfigurationError(f"{path}: {key} must be a list of texts")
    return given


def _languages(path: Path, given: Any) -> tuple[str, ...]:
    codes = _texts(path, "languages", given)
    if bad := [code for code in codes if not _is_catalogue(path.parent, code)]:
        raise ConfigurationError(f"{path}: languages: there is no catalogue for {bad[0]}")
    return tuple(codes)


def _taglines(path: Path, given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        raise ConfigurationError(f'{path}: taglines must be a table of texts by language, like en = "..."')
    return given


def _is_catalogue(folder: Path, code: str) -> bool:
    """Whether texts were translated into this language, by us or by the municipality itself."""
    is_code = len(code) == 2 and code.isascii() and code.islower()
    return is_code and any((place / code).is_dir() for place in (folder / "translations", PACKAGE_DIR / "translations"))


def _refuse_unknown(path: Path, data: Mapping[str, Any], known: set[str], prefix: str) -> None:
    if unknown := sorted(set(data) - known):
        raise ConfigurationError(f"{path}: unknown key {prefix}{unknown[0]}")
