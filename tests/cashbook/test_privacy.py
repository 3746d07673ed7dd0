# SPDX-License-Identifier: EUPL-1.2
"""What the public books do not tell: who gave without a name, at what time, in what order, with which voucher."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.cashbook.queries import movements
from abs_platform.cashbook.schemas import Filters
from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails, return_vouchers
from abs_platform.initiatives import service
from abs_platform.initiatives.states import PUBLIC_STATES
from abs_platform.initiatives.states import InitiativeState as State
from tests.cashbook.test_books import read_csv
from tests.cashbook.town import Money
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser

HIDDEN_STATES = [state for state in State if state not in PUBLIC_STATES]


def test_only_who_chose_to_be_named_is_and_only_while_the_gift_stands(
    money: Money, browser_client: Browser, app: Flask
) -> None:
    factory = money.factory
    initiative = factory.initiative()
    named, quiet = factory.fresh_codes(2)
    assert factory.give(
        named, initiative, GiftDetails(giver_name="Gerda Open", message="Hup!", giver_email="g@x.example")
    )
    assert factory.give(quiet, initiative, GiftDetails(giver_email="stil@x.example"))
    money.give(initiative, 2_000, name="=Bakkerij;Jansen", is_organisation=True)
    money.session.commit()
    path = (
        f"/initiatieven/{initiative.id}-{browser_client.get(f'/initiatieven/{initiative.id}').path.rsplit('-', 1)[-1]}"
    )
    path = next(
        link.attrs["href"]
        for link in browser_client.get(f"/initiatieven/{initiative.id}").all("main a")
        if link.attrs["href"].endswith("/kasboek")
    )

    page, rows = browser_client.get(path), read_csv(app, f"{path}.csv")

    assert "Gerda Open" in page.text
    assert "=Bakkerij;Jansen" in page.text
    assert sorted(row["gever"] for row in rows) == ["'=Bakkerij;Jansen", "Gerda Open", "anoniem"]
    for told in (page.html, str(rows)):
        assert "x.example" not in told
        assert "Hup!" not in told
        assert factory.voucher(named).household_id is not None
        assert named not in told

    service.stop(money.session, initiative.id, reason="Gevaarlijk.", actor=TEST_ACTOR, now=factory.now)
    return_vouchers(money.session, initiative.id, actor=TEST_ACTOR, now=factory.now, reason="stopped")
    money.session.commit()
    after = browser_client.get(path)

    assert "Gerda Open" not in after.text
    assert "Voucher terug naar de gever" in after.text


@pytest.mark.parametrize("state", HIDDEN_STATES)
def test_what_was_never_published_has_no_book(state: State, factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative(state, title="Geheim plan")
    factory.session.commit()

    for end in ("kasboek", "kasboek.csv"):
        page = browser_client.get(f"/initiatieven/{initiative.id}-geheim-plan/{end}", status=404)
        assert "Geheim plan" not in page.text
    assert "Geheim plan" not in browser_client.get("/kasboek").text


def test_within_a_day_the_order_of_giving_changes_nothing_that_anybody_sees(money: Money, session: Session) -> None:
    initiative = money.factory.initiative()
    midday = clock.start_of_day(clock.today()) + dt.timedelta(hours=12)
    gifts = [(750, None, False), (2_000, "Anna", False), (750, "Bram", True), (750, None, False)]
    shown = set()

    for order in itertools.permutations(gifts):
        with session.begin_nested() as savepoint:
            for number, (cents, name, is_organisation) in enumerate(order):
                at = midday + dt.timedelta(minutes=number)
                money.give(initiative, cents, name=name, is_organisation=is_organisation, at=at)
            pages = [movements(session, Filters(), size=2)]
            pages.append(movements(session, Filters(), pages[0].next, size=50))
            shown.add(str([(page.items, str(page.next)) for page in pages]))
            savepoint.rollback()

    assert len(shown) == 1


def test_no_clock_time_and_no_number_of_ours_is_told(money: Money, browser_client: Browser, session: Session) -> None:
    factory = money.factory
    initiative = factory.initiative()
    for code in factory.fresh_codes(60):
        assert factory.give(code, initiative)
    session.commit()

    page = browser_client.get("/kasboek")

    references = session.query(Donation.reference).all()
    assert references
    assert not [reference for (reference,) in references if reference in page.html]
    (following,) = [link.attrs["href"] for link in page.all('a[rel="next"]')]
    assert following == f"/kasboek?na={clock.today()}.0.voucher_given.{initiative.id}.0.750..11"


def test_of_a_gift_nobody_is_told_from_which_round_it_came(factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative()
    round_ = factory.round(name="Najaar 2026")
    (household,) = factory.households()
    factory.issue(round_)
    assert factory.give(factory.fresh_codes(1)[0], initiative)
    factory.session.commit()

    page = browser_client.get(f"/kasboek?ronde={round_.id}")

    assert household.id
    assert "Vouchers uitgegeven: Najaar 2026" in page.text
    assert "Voucher gegeven" not in page.one(".book-table").to_text()


@pytest.mark.parametrize(
    "wrong",
    [
        *("periode=2026-13", "periode=2026-00", "periode=26", "periode=1999", "periode=2026-1", "periode=%D9%A2026"),
        *("soort=alles", "fase=published", "ronde=x", "ronde=-1", "ronde=99999999999999999999"),
        *("na=2", "na=2026-13-01.0.voucher_given.1.0.750..1", "na=2026-11-22.0.voucher_given.1.0.750.zz.1"),
        *("na=2026-11-22.0.voucher_given.1.0.750..99999999999999999999", "na=2026-11-22.0.x';--.1.0.750..1"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_and_shows_nothing(wrong: str, browser_client: Browser) -> None:
    for path in ("/kasboek", "/kasboek.csv"):
        page = browser_client.get(f"{path}?{wrong}", status=422)

        assert "is er niet" in page.text


def test_what_is_not_there_is_not_found_and_a_far_page_is_empty(factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative(title="Bomen")
    factory.session.commit()

    browser_client.get("/kasboek?ronde=999999", status=404)
    browser_client.get("/initiatieven/999999-x/kasboek", status=404)
    far = browser_client.get("/kasboek?na=2020-01-01.0.voucher_given.1.0.750..1")
    moved = browser_client.client.get(
        f"/initiatieven/{initiative.id}-oud/kasboek?periode=2026&initiative_id=1&_external=1&slug=x"
    )

    assert "gegeven of uitbetaald" in far.text
    assert (moved.status_code, moved.location) == (301, f"/initiatieven/{initiative.id}-bomen/kasboek?periode=2026")


def test_a_signed_in_reader_leaves_no_book_in_a_cache(
    factory: Factory, browser_client: Browser, session: Session
) -> None:
    token = factory.session_of(factory.account())
    session.commit()
    browser_client.sign_in(token)

    answers = [browser_client.client.get(path) for path in ("/kasboek", "/kasboek.csv")]

    assert [answer.headers["Cache-Control"] for answer in answers] == ["no-store", "no-store"]
