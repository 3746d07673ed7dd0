# SPDX-License-Identifier: EUPL-1.2
"""The demo takes money at its own bank, unless the settings name another account."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from abs_platform import clock
from abs_platform.config import ROOT_DIR
from abs_platform.demo.bank import Bank
from abs_platform.demo.cli import money_env
from abs_platform.demo.money import Money
from abs_platform.demo.story import Story
from abs_platform.demo.timeline import Timeline
from abs_platform.payment_settings import BankAccount, PaymentSettings
from tests.conftest import make_settings
from tests.page import Browser
from tests.stand_in import BANK_ACCOUNT, StandIn


def test_the_demo_pays_at_the_demo_bank_and_from_a_made_up_account(tmp_path: Path) -> None:
    settings = make_settings("", tmp_path)

    env = money_env(settings, {"ABS_STRIPE_METHODS": "ideal"}, 5001)

    payments, account = PaymentSettings.read(env), BankAccount.read(env)
    assert payments is not None
    assert (payments.api_url, payments.is_stand_in, payments.is_live) == ("http://127.0.0.1:5001", True, False)
    assert payments.methods == ("ideal",)
    assert account is not None
    assert account.holder == f"Gemeente {settings.municipality.name}"


def test_an_account_that_was_set_is_kept(tmp_path: Path, stand_in: StandIn) -> None:
    settings = replace(make_settings("", tmp_path), payments=stand_in.settings, bank_account=BANK_ACCOUNT)

    assert money_env(settings, {}, 5001) == {}


@pytest.mark.usefixtures("connection")
def test_the_page_of_the_demo_leads_to_the_demo_bank(paying_app: Flask, stand_in: StandIn) -> None:
    page = Browser(paying_app).get("/demo")

    assert page.one(f'a[href="{stand_in.settings.api_url}/_stand-in"]')


@pytest.mark.usefixtures("connection")
def test_without_a_demo_bank_the_page_of_the_demo_is_silent_about_it(browser_client: Browser) -> None:
    assert "Demo-bank" not in browser_client.get("/demo").text


def test_the_demo_bank_is_a_program_of_its_own_that_stops_when_asked(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "abs_platform.demo.stripe", "--port", str(port)]
    command += ["--store", str(tmp_path / "demo" / "stripe.sqlite")]
    process = subprocess.Popen(command, cwd=ROOT_DIR, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        assert "geen echt geld" in process.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stand-in", timeout=10) as answer:
            assert answer.status == 200
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stdout.close()


def test_webhooks_are_never_sent_unsigned() -> None:
    command = [sys.executable, "-m", "abs_platform.demo.stripe", "--webhook-url", "http://127.0.0.1:9/x"]

    done = subprocess.run(command, cwd=ROOT_DIR, env={}, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "whsec_" in done.stderr


def a_timeline(app: Flask, seed: int) -> Timeline:
    settings = app.extensions["settings"]
    return Timeline(
        settings,
        keys=app.extensions["code_keys"],
        store=app.extensions["file_store"],
        data=Story.read(settings.municipality.demo_dir),
        chance=random.Random(seed),
        now=clock.now(),
    )


def test_without_a_bank_of_its_own_the_demo_gives_only_vouchers(app: Flask) -> None:
    assert Money(a_timeline(app, 3), None).choose(1_000_00, 1_000_00) == []


def test_what_is_given_in_money_follows_from_its_own_seed(app: Flask, tmp_path: Path) -> None:
    told = []
    for seed in (3, 4):  # of the rest of the history
        bank = Bank(tmp_path / str(seed) / "bank.sqlite", url="http://127.0.0.1:1", methods=("ideal",))
        money = Money(a_timeline(app, seed), bank)
        told.append(([money.choose(1_000_00, 1_000_00) for _item in range(20)], money.form_key()))
        bank.close()

    assert told[0] == told[1]
    assert any(told[0][0])


def test_the_demo_bank_begins_anew_with_a_new_history(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "stripe.sqlite"
    first = Bank(path, url="http://127.0.0.1:1", methods=("ideal",))
    first.account.store.add("event", {"id": "evt_of_before"}, created=1)
    first.close()

    again = Bank(path, url="http://127.0.0.1:1", methods=("ideal",))

    assert again.account.store.listed("event") == []
    again.close()


def test_every_special_gift_and_payout_of_the_demo_is_about_an_initiative_that_can_have_it(app: Flask) -> None:
    data = a_timeline(app, 3).data
    states = {item["key"]: item["state"] for item in data.initiatives}

    assert {states[special["key"]] for special in data.money["special"]} <= {
        "published", "funded", "realised", "stopped", "withdrawn"
    }  # fmt: skip
    assert {states[key] for key in data.money["payouts"]} == {"funded", "in_progress", "realised"}
    assert states[data.money["unspent"]["due"]] == "realised"
    assert {key for key, state in states.items() if state == "funded"} <= set(data.money["payouts"])
