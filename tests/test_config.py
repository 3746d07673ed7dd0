# SPDX-License-Identifier: EUPL-1.2
"""Settings: production refuses what is missing or weak, a fresh clone needs none, and a town is only data."""

from __future__ import annotations

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask

from abs_platform import clock, create_app
from abs_platform.areas.service import load_areas
from abs_platform.config import ROOT_DIR, Settings
from abs_platform.database import db
from abs_platform.municipality import ConfigurationError, Municipality, Rules
from tests.conftest import make_settings
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser

GOOD_KEY = "d41d8cd98f00b204e9800998ecf8427e-one"
OTHER_KEY = "900150983cd24fb0d6963f7d28e17f72-two"
PRODUCTION = {
    "ABS_ENV": "production",
    "ABS_SECRET_KEY": GOOD_KEY,
    "ABS_VOUCHER_KEY": OTHER_KEY,
    "DATABASE_URL": "postgresql://abs:secret@db.example/abs",
    "ABS_BASE_URL": "https://buurtsamen.example",
    "ABS_TRUSTED_PROXIES": "1",
    "ABS_SMTP_URL": "smtp://abs:secret@smtp.example:587?starttls",
    "ABS_MAIL_FROM": "buurtsamen@dorpstad.example",
}
TOWN = """
name = "Dorpstad"
code = "GM9999"
site_name = "Dorpstad Samen"
tagline = "Samen maken we Dorpstad mooier."
theme = "dorpstad"
contact_email = "samen@dorpstad.example"
contact_phone = "14 0999"
contact_address = "Raadhuisplein 1, 9999 AA Dorpstad"
website = "https://dorpstad.example"
"""
AREAS = """code,naam,niveau,ouder_code
GM9999,Dorpstad,gemeente,
WK999901,Zuid,wijk,GM9999
BU99990101,Plein,buurt,WK999901
"""
SLUG = "een-bankje-op-het-plein"


def settings(tmp_path: Path, **env: str) -> Settings:
    return Settings.from_env({"ABS_INSTANCE_DIR": str(tmp_path / "instance")} | env)


def refusal(tmp_path: Path, **env: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        settings(tmp_path, **env)
    return str(refused.value)


def town(folder: Path, toml: str = TOWN) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "municipality.toml").write_text(toml)
    (folder / "areas.csv").write_text(AREAS)
    return folder


def test_production_starts_with_all_that_it_needs(tmp_path: Path) -> None:
    made = settings(tmp_path, **PRODUCTION)

    assert made.is_production
    assert made.database_url == "postgresql+psycopg://abs:secret@db.example/abs"
    assert made.voucher_key == OTHER_KEY.encode()
    assert not (tmp_path / "instance").exists()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ABS_SECRET_KEY", "", "ABS_SECRET_KEY is missing"),
        ("ABS_VOUCHER_KEY", "", "ABS_VOUCHER_KEY is missing"),
        ("ABS_SECRET_KEY", GOOD_KEY[:31], "ABS_SECRET_KEY is weak"),
        ("ABS_VOUCHER_KEY", "short", "ABS_VOUCHER_KEY is weak"),
        ("ABS_SECRET_KEY", "a" * 64, "ABS_SECRET_KEY is weak"),
        ("ABS_VOUCHER_KEY", "changeme" * 8, "ABS_VOUCHER_KEY is weak"),
        ("ABS_VOUCHER_KEY", GOOD_KEY, "are the same"),
        ("DATABASE_URL", "", "DATABASE_URL is missing"),
        ("ABS_BASE_URL", "", "ABS_BASE_URL is missing or not https"),
        ("ABS_BASE_URL", "http://buurtsamen.example", "ABS_BASE_URL is missing or not https"),
        ("ABS_BASE_URL", "https://", "ABS_BASE_URL is not an address"),
        ("ABS_BASE_URL", "https://[", "ABS_BASE_URL is not an address"),
        ("ABS_BASE_URL", "https://buurtsamen.example/pad", "ABS_BASE_URL is not an address"),
        ("DATABASE_URL", "postgresql://abs:secret@db.example:poort/abs", "DATABASE_URL is not an address"),
        ("DATABASE_URL", "mysql://abs:secret@db.example/abs", "DATABASE_URL is not an address"),
        ("ABS_SMTP_URL", "", "ABS_SMTP_URL is missing"),
        ("ABS_SMTP_URL", "smtp://abs:secret@smtp.example", "sends a password without TLS"),
        ("ABS_SMTP_URL", "smtp://abs:secret@[", "ABS_SMTP_URL cannot be used"),
        ("ABS_SMTP_URL", "https://smtp.example", "ABS_SMTP_URL cannot be used"),
        ("ABS_MAIL_FROM", "", "ABS_MAIL_FROM is missing"),
        ("ABS_MAIL_FROM", "Dorpstad Samen", "ABS_MAIL_FROM is not an e-mail address"),
        ("ABS_TRUSTED_PROXIES", "-1", "ABS_TRUSTED_PROXIES=-1"),
        ("ABS_TRUSTED_PROXIES", "one", "ABS_TRUSTED_PROXIES=one"),
    ],
)
def test_production_refuses_what_is_missing_or_weak(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    said = refusal(tmp_path, **PRODUCTION | {name: value})

    assert sentence in said
    assert said.count("\n- ") == 1
    assert GOOD_KEY not in said
    assert "secret@" not in said


def test_production_names_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, ABS_ENV="production", ABS_VOUCHER_KEY="weak", ABS_TRUSTED_PROXIES="x")

    names = ("ABS_SECRET_KEY", "ABS_VOUCHER_KEY", "DATABASE_URL", "ABS_BASE_URL", "ABS_TRUSTED_PROXIES")
    for name in (*names, "ABS_SMTP_URL", "ABS_MAIL_FROM"):
        assert name in said
    assert not (tmp_path / "instance").exists()


def test_a_setting_never_shows_a_key(tmp_path: Path) -> None:
    shown = repr(settings(tmp_path, **PRODUCTION))

    assert GOOD_KEY not in shown
    assert OTHER_KEY not in shown


def test_an_unknown_environment_is_refused(tmp_path: Path) -> None:
    assert "ABS_ENV=staging" in refusal(tmp_path, ABS_ENV="staging")


def test_a_fresh_clone_starts_without_any_setting(tmp_path: Path) -> None:
    made = settings(tmp_path)

    assert made.environment == "development"
    assert made.database_url is None
    assert made.municipality.name == "Almelo"
    assert made.rules == Rules()
    assert made.trusted_proxies == 0


def test_without_a_folder_of_its_own_the_instance_stands_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("abs_platform.config.development_keys", lambda _folder: {"secret_key": "a", "voucher_key": "b"})

    assert Settings.from_env({}).instance_dir == ROOT_DIR / "instance"


def test_development_keys_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    first, second = settings(tmp_path), settings(tmp_path)

    path = tmp_path / "instance" / "development-keys.toml"
    assert (first.secret_key, first.voucher_key) == (second.secret_key, second.voucher_key)
    assert first.secret_key.encode() != first.voucher_key
    assert len(first.secret_key) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["development-keys.toml"]


def test_a_key_that_is_set_counts_before_the_one_that_was_made(tmp_path: Path) -> None:
    made = settings(tmp_path)
    mixed = settings(tmp_path, ABS_VOUCHER_KEY=OTHER_KEY)

    assert mixed.voucher_key == OTHER_KEY.encode()
    assert mixed.secret_key == made.secret_key


def test_those_who_start_at_once_get_the_same_keys(tmp_path: Path) -> None:
    together = Barrier(8)

    def start(_number: int) -> tuple[str, bytes]:
        together.wait(10)
        made = settings(tmp_path)
        return made.secret_key, made.voucher_key

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(start, range(8)))

    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["development-keys.toml"]


def test_who_is_second_at_the_last_moment_takes_the_keys_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "instance" / "development-keys.toml"
    link = os.link

    def be_second(draft: Path, target: Path) -> None:
        path.write_text('secret_key = "of the first"\nvoucher_key = "of the first too"\n')
        link(draft, target)

    monkeypatch.setattr(os, "link", be_second)

    made = settings(tmp_path)

    assert (made.secret_key, made.voucher_key) == ("of the first", b"of the first too")
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@h:5432/d?sslmode=require", "postgresql+psycopg://u:p@h:5432/d?sslmode=require"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("", None),
    ],
)
def test_a_database_address_is_taken_as_hosts_give_it(tmp_path: Path, given: str, used: str | None) -> None:
    assert settings(tmp_path, DATABASE_URL=given).database_url == used


@pytest.mark.parametrize(
    "given", ["mysql://u:hidden@h/d", "sqlite:///abs.db", "postgresql+asyncpg://u:hidden@h/d", "abs"]
)
def test_another_database_is_refused_without_showing_its_password(tmp_path: Path, given: str) -> None:
    said = refusal(tmp_path, DATABASE_URL=given)

    assert "DATABASE_URL is not an address like postgresql://" in said
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('name = "Dorpstad"', 'name = "Dorpstad"\nlogo = "x.svg"'), "unknown key logo"),
        (('name = "Dorpstad"\n', ""), "name"),
        (("website", "[rules]\nmin_organizers = 2\n#"), "unknown key rules.min_organizers"),
        (("website", "[rules]\nmin_organisers = 0\n#"), "rules.min_organisers must be a whole number above 0"),
        (("website", "[rules]\nmin_organisers = 2.5\n#"), "rules.min_organisers must be a whole number above 0"),
        (("website", '[rules]\nmin_organisers = "3"\n#'), "rules.min_organisers must be a whole number above 0"),
        (('name = "Dorpstad"', "name = Dorpstad"), "municipality.toml"),
    ],
)
def test_a_mistake_in_a_municipality_is_named_with_its_file_and_key(
    tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    folder = town(tmp_path / "dorpstad", TOWN.replace(*change, 1))

    with pytest.raises(ConfigurationError) as refused:
        Municipality.load(str(folder))

    assert sentence in str(refused.value)
    assert str(folder / "municipality.toml") in str(refused.value)


def test_a_municipality_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"ABS_MUNICIPALITY=nergens: .*municipality\.toml cannot be read"):
        settings(tmp_path, ABS_MUNICIPALITY="nergens")


def test_a_municipality_sets_its_own_numbers_of_the_rules(tmp_path: Path) -> None:
    folder = town(tmp_path / "dorpstad", TOWN + "\n[rules]\nvoucher_amount_cents = 1000\n")

    rules = settings(tmp_path, ABS_MUNICIPALITY=str(folder)).rules

    assert rules == Rules(voucher_amount_cents=1000)


def test_another_municipality_is_data_only(
    app: Flask, factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = town(tmp_path / "dorpstad")
    shutil.copytree(ROOT_DIR / "static", tmp_path / "static", ignore=shutil.ignore_patterns("themes"))
    themes = tmp_path / "static" / "themes"
    shutil.copytree(ROOT_DIR / "static" / "themes" / "almelo", themes / "dorpstad")
    used = make_settings(str(app.config["SQLALCHEMY_DATABASE_URI"]), tmp_path)
    other_app = create_app(replace(used, municipality=Municipality.load(str(folder))))
    monkeypatch.setattr(other_app, "static_folder", str(themes.parent))
    with other_app.app_context():
        engines = db.engines
    with app.app_context():
        monkeypatch.setitem(engines, None, db.engines[None])
    report = load_areas(
        factory.session, folder / "areas.csv", edition=2025, villages=frozenset(), actor=TEST_ACTOR, now=clock.now()
    )
    initiative = factory.initiative(area="BU99990101", title="Een bankje op het plein")

    browser = Browser(other_app)
    paths = ["/", "/hoe-werkt-het", "/initiatieven", "/voucher", "/v", f"/initiatieven/{initiative.id}-{SLUG}"]
    pages = [browser.get(path) for path in paths] + [browser.get("/bestaat-niet", status=404)]

    assert report.loaded == 3
    assert all("Dorpstad Samen" in page.text and "samen@dorpstad.example" in page.text for page in pages)
    assert [page.path for page in pages if re.search("almelo", page.html, re.IGNORECASE)] == []
    assert "Een bankje op het plein" in pages[0].text
    assert "Zuid" in pages[2].text
    assert "Windmolenbroek" not in pages[2].text
    openapi = other_app.test_client().get("/api/v1/openapi.json").get_data(as_text=True)
    assert "Dorpstad" in openapi
    assert "almelo" not in openapi.lower()


STRIPE = {"ABS_STRIPE_KEY": "sk_test_geheim", "ABS_STRIPE_WEBHOOK_SECRET": "whsec_geheim"}
LIVE = {"ABS_STRIPE_KEY": "sk_live_geheim", "ABS_STRIPE_WEBHOOK_SECRET": "whsec_geheim"}


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        (
            PRODUCTION | LIVE | {"ABS_STRIPE_URL": "http://127.0.0.1:5001"},
            "ABS_STRIPE_URL may not be set in production",
        ),
        (PRODUCTION | STRIPE | {"ABS_STRIPE_URL": "http://127.0.0.1:1"}, "ABS_STRIPE_URL may not be set in production"),
        (PRODUCTION | STRIPE, "ABS_STRIPE_KEY is a test key"),
        (LIVE, "ABS_STRIPE_KEY is a live key"),
        (STRIPE | {"ABS_STRIPE_KEY": "rk_live_geheim"}, "ABS_STRIPE_KEY is a live key"),
        (STRIPE | {"ABS_STRIPE_KEY": "pk_test_geheim"}, "ABS_STRIPE_KEY is not a secret key"),
        (STRIPE | {"ABS_STRIPE_KEY": ""}, "go together"),
        (STRIPE | {"ABS_STRIPE_WEBHOOK_SECRET": ""}, "go together"),
        (STRIPE | {"ABS_STRIPE_WEBHOOK_SECRET": "geheim"}, "begins with whsec_"),
        (STRIPE | {"ABS_STRIPE_URL": "https://stripe.example"}, "leads to another machine"),
        (STRIPE | {"ABS_STRIPE_URL": "https://api.stripe.com.example"}, "leads to another machine"),
        ({"ABS_STRIPE_URL": "http://127.0.0.1:5001"}, "ABS_STRIPE_URL is set, but not"),
        (STRIPE | {"ABS_STRIPE_METHODS": "ideal;card"}, "ABS_STRIPE_METHODS is not a list"),
        ({"ABS_BANK_IBAN": "NL02ABNA0123456789"}, "ABS_BANK_IBAN and ABS_BANK_HOLDER go together"),
        ({"ABS_BANK_HOLDER": "Gemeente"}, "ABS_BANK_IBAN and ABS_BANK_HOLDER go together"),
        ({"ABS_BANK_IBAN": "NL03ABNA0123456789", "ABS_BANK_HOLDER": "Gemeente"}, "ABS_BANK_IBAN is not an IBAN"),
    ],
)
def test_real_money_and_play_money_never_meet(tmp_path: Path, env: dict[str, str], sentence: str) -> None:
    said = refusal(tmp_path, **env)

    assert sentence in said
    assert "geheim" not in said


def test_money_is_taken_as_the_settings_say(tmp_path: Path) -> None:
    nothing = settings(tmp_path)
    live = settings(tmp_path, **PRODUCTION, **LIVE).payments
    test = settings(tmp_path, **STRIPE, ABS_STRIPE_METHODS=" ideal , card,", ABS_STRIPE_URL="http://localhost:1/")
    bank = settings(tmp_path, ABS_BANK_IBAN="nl02 abna 0123 4567 89", ABS_BANK_HOLDER="Gemeente").bank_account

    assert (nothing.payments, nothing.bank_account) == (None, None)
    assert live is not None
    assert (live.is_live, live.is_stand_in, live.methods) == (True, False, ("ideal", "card", "bancontact"))
    assert test.payments is not None
    assert (test.payments.is_live, test.payments.is_stand_in, test.payments.methods) == (False, True, ("ideal", "card"))
    assert test.payments.api_url == "http://localhost:1"
    assert bank is not None
    assert bank.iban == "NL02ABNA0123456789"
    assert "geheim" not in repr(test)
