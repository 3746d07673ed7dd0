# SPDX-License-Identifier: EUPL-1.2
"""What was found by attacking the pages for everybody, each with the test that would have told."""

from __future__ import annotations

import contextvars
import datetime as dt
from xml.etree import ElementTree

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from abs_platform import page_memory
from abs_platform.agenda.models import AgendaItem
from abs_platform.agenda.states import MOST_COMING, ItemState
from abs_platform.clock import AMSTERDAM
from abs_platform.page_memory import PageMemory
from abs_platform.rich_text import without_unseen
from tests.factories import Factory
from tests.page import Browser
from tests.people import People


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


@pytest.mark.parametrize("path", ["/kaart/punten.json", "/kaart/gebieden.json", "/wijken/noorderkwartier/poster.pdf"])
def test_what_caches_keep_for_all_carries_nobody_s_cookie(people: People, path: str) -> None:
    browser = people.resident()
    with browser.client.session_transaction() as cookie:
        cookie.permanent = True  # as after signing in: then every answer renews the cookie

    answer = contextvars.Context().run(browser.client.get, path)

    assert answer.cache_control.public
    assert "Set-Cookie" not in answer.headers
    assert "Set-Cookie" in contextvars.Context().run(browser.client.get, "/account").headers
