# SPDX-License-Identifier: EUPL-1.2
"""What is logged: a line for each request, and never a code, an e-mail address, a message or a client's address."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.config import ROOT_DIR
from tests.concurrency.processes import environment
from tests.factories import Factory

MESSAGE = "Veel plezier van buurvrouw Fientje"


@pytest.fixture
def journey(own_app: Flask, own_session: Session, own_factory: Factory) -> dict[str, str]:
    """The secrets of a journey that is still to be made."""
    code, api_code = own_factory.codes(2)
    initiative = own_factory.initiative()
    own_session.commit()
    return {
        "code": code,
        "api_code": api_code,
        "initiative": str(initiative.id),
        "email": "fientje@geheim.example",
        "name": "Fientje Geheim",
        "message": MESSAGE,
        "address": "203.0.113.77",
    }


def walk(app: Flask, secrets: dict[str, str], **settings: str) -> subprocess.CompletedProcess[str]:
    """Make the journey in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.log_journey"],
        cwd=ROOT_DIR,
        env=environment(app) | settings,
        input=json.dumps(secrets),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )


def found_in(text: str, secrets: dict[str, str]) -> list[str]:
    """The secrets that a text gives away, however they are written."""
    plain = text.lower().replace("-", "").replace("%40", "@")
    return [name for name, secret in secrets.items() if name != "initiative" and _plain(secret) in plain]


def _plain(secret: str) -> str:
    return secret.lower().replace("-", "")


def test_no_line_of_a_whole_journey_gives_a_code_an_address_or_a_person_away(
    own_app: Flask, journey: dict[str, str]
) -> None:
    production = {"ABS_ENV": "production", "ABS_BASE_URL": "https://buurt.example", "ABS_TRUSTED_PROXIES": "0"}
    production |= {"ABS_SECRET_KEY": "0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d"}
    production |= {"ABS_SMTP_URL": "smtp://127.0.0.1:1", "ABS_MAIL_FROM": "buurt@buurt.example"}

    result = walk(own_app, journey, **production)

    lines = [json.loads(line) for line in result.stderr.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [line.split()[:2] for line in result.stdout.splitlines()[:4]] == [
        ["given", "303"],
        ["api", "201"],
        ["guessing", "429"],
        ["bug", "500"],
    ]
    assert found_in(result.stderr, journey) == []
    assert found_in(result.stdout, journey) == []
    assert "CheckViolation" in result.stderr
    assert "CheckViolation" in result.stdout
    assert len(requests) > 20
    assert all(line["request_id"] and line["route"] != "/nergens" for line in requests)
    assert all(line["timestamp"].endswith("Z") and line["level"] for line in lines)
    assert {"/voucher", "/voucher/geven", "/api/v1/voucher-donations", None} <= {line["route"] for line in requests}
    assert "wrong voucher code" in {line["event"] for line in lines}


def test_the_readable_lines_of_development_give_nothing_away_either(own_app: Flask, journey: dict[str, str]) -> None:
    result = walk(own_app, journey)

    assert found_in(result.stderr, journey) == []
    assert "route=/voucher/geven" in result.stderr
    assert "CheckViolation" in result.stderr


def test_the_search_of_these_tests_finds_a_secret_that_is_there() -> None:
    secrets = {"code": "K7QJ-4MXP-9T2C", "email": "fientje@geheim.example"}

    assert found_in("x k7qj4mxp9t2c x", secrets) == ["code"]
    assert found_in("GET /?zoek=fientje%40geheim.example", secrets) == ["email"]
    assert found_in("K7QJ", secrets) == []
