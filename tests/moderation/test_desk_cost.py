# SPDX-License-Identifier: EUPL-1.2
"""What the desk costs: fewer than eight queries a page, however much waits. `bin/bench desk` measures the time."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Connection

from abs_platform.initiatives.states import InitiativeState as State
from tests.moderation.people import ELSEWHERE, Desk
from tests.test_page_cost import counting

FEWER_THAN = 8
SMALL, LARGE = 5, 60
PATHS = (
    "/regie",
    "/regie?balie=alle",
    "/regie?balie=schelfhorst&soort=submitted&wie=niemand&laat=1&status=submitted&zoek=bomen",
    "/regie?balie=alle&pagina=2",
    "/regie/initiatieven",
    "/regie/initiatieven?status=published&zoek=anna",
)


@pytest.mark.parametrize("who", ["sanne", "carla"])
def test_a_page_of_the_desk_asks_fewer_than_eight_queries_however_much_waits(
    desk: Desk, connection: Connection, who: str
) -> None:
    account = getattr(desk, who)
    if who == "sanne":
        desk.away(desk.els, desk.sanne)
    counts: dict[str, list[int]] = {path: [] for path in PATHS}

    for size in (SMALL, LARGE):
        for number in range(size):
            state = State.SUBMITTED if number % 5 else State.PUBLISHED
            made = desk.factory.initiative(state, area=(ELSEWHERE, "BU01411900")[number % 2])
            made.handler_id = (None, desk.sanne.id, desk.tom.id)[number % 3]
            made.submitted_at = desk.factory.now - dt.timedelta(days=number)
        browser = desk.as_(account)
        for path in PATHS:
            with counting(connection) as statements:
                browser.get(path)
            counts[path].append(len(statements))

    assert {path: found for path, found in counts.items() if max(found) >= FEWER_THAN} == {}


def test_the_screen_of_one_initiative_asks_no_more_when_it_has_a_long_story(desk: Desk, connection: Connection) -> None:
    initiative = desk.submitted()
    browser, base = desk.as_(desk.sanne), f"/regie/initiatieven/{initiative.id}"
    counts = []

    for _round in range(2):
        for _number in range(3):
            page = browser.get(base)
            browser.submit(page, f"{base}/notities", note="Nog een notitie.")
            browser.submit(page, f"{base}/berichten", message="Nog een bericht.")
            desk.factory.initiative(State.PUBLISHED)
        with counting(connection) as statements:
            browser.get(base)
        counts.append(len(statements))

    assert counts[0] == counts[1]
