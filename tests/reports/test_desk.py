# SPDX-License-Identifier: EUPL-1.2
"""What staff see of a round: their own districts, masked too, where it stays silent, and where every euro is."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from sqlalchemy import text

from abs_platform.areas.models import HelpPoint
from abs_platform.donations.service import return_vouchers
from abs_platform.initiatives import service
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.replacements.models import ReturnedLetter
from abs_platform.rounds.models import Round
from abs_platform.users import Role
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.service import expire_round, revoke_voucher
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page
from tests.reports.town import SLUITERSVELD, TOWN, WINDMOLENBROEK, give, round_of

DAY = dt.timedelta(days=1)
SILENT_TOWN = {"BU01411900": (120, 90), "BU01411901": (60, 10), "BU01411300": (40, 20), "BU01411301": (45, 20)}


@pytest.fixture
def coordinator(factory: Factory, browser_client: Browser) -> Browser:
    account = factory.account(roles=(Role.COORDINATOR,))
    token = factory.session_of(account)
    factory.session.commit()
    return browser_client.sign_in(token)


def manager(factory: Factory, browser: Browser, *desks: str) -> Browser:
    token = factory.session_of(factory.account(roles=(Role.DISTRICT_MANAGER,), desks=desks))
    factory.session.commit()
    return browser.sign_in(token)


def row_of(page: Page, name: str) -> list[str]:
    (row,) = [row for row in page.all(".fin-table tr") if row.query("th")[0].to_text().strip() == name]
    return [" ".join(cell.to_text().split()) for cell in row.query("td")]


def test_the_coordinator_sees_the_whole_town_against_the_round_before(factory: Factory, coordinator: Browser) -> None:
    factory.now -= 60 * DAY
    round_of(factory, {area: (letters, letters // 2) for area, (letters, _given) in TOWN.items()})
    factory.now += 60 * DAY
    round_ = round_of(factory, paper=(11, 0))

    page = coordinator.get(f"/beheer/rondes/{round_.id}/cijfers")

    assert row_of(page, "Sluitersveld")[:4] == ["95", "40+", "42%", "42%"]
    assert "Dag voor dag" in page.text
    assert len(page.all("polyline")) == 2


def test_small_numbers_are_masked_for_staff_too(factory: Factory, coordinator: Browser) -> None:
    round_ = round_of(factory)
    voucher = factory.session.query(Voucher).filter_by(round_id=round_.id, state="issued").first()
    assert voucher is not None
    factory.session.add(
        ReturnedLetter(
            voucher_id=voucher.id,
            round_id=round_.id,
            neighbourhood_id=factory.area_id("BU01411901"),
            reason="empty",
            scanned_at=factory.now,
        )
    )
    factory.session.commit()

    page = coordinator.get(f"/beheer/rondes/{round_.id}/cijfers")

    small = [row for row in page.all(".fin-table .fig-below") if "te klein" in row.parent.to_text()]
    assert len(small) >= 2
    assert "De post bracht 1 brief terug." in page.text


def test_a_district_manager_sees_the_own_districts_and_who_holds_the_town_all(
    factory: Factory, browser_client: Browser
) -> None:
    round_of(factory)

    own = manager(factory, browser_client, WINDMOLENBROEK).get("/regie/cijfers")
    assert "Windmolenbroek" in own.text
    assert "Sluitersveld" not in own.text
    both = manager(factory, browser_client, "GM0141").get("/regie/cijfers")
    assert "Sluitersveld" in both.text
    browser_client.get("/regie/cijfers?ronde=999999", status=404)


def test_before_there_is_a_round_there_is_a_page(factory: Factory, browser_client: Browser) -> None:
    page = manager(factory, browser_client, SLUITERSVELD).get("/regie/cijfers")

    assert "nog geen vouchers uitgegeven" in page.text


def test_a_neighbourhood_that_uses_less_than_half_of_the_town_is_silent(factory: Factory, coordinator: Browser) -> None:
    district = factory.area_id(WINDMOLENBROEK)
    near = factory.initiative(area="BU01411901", title="Bankjes bij de vijver")
    round_ = round_of(factory, SILENT_TOWN)

    def advice() -> str:
        (found,) = coordinator.get(f"/beheer/rondes/{round_.id}/cijfers").all(".fin-row")
        return " ".join(found.to_text().split())

    assert "minder dan half zoveel als de stad" in advice()
    assert "langs de deuren" in advice()
    assert near.title in advice()
    assert "bij de winkel" in advice()
    factory.session.add(
        HelpPoint(district_id=district, name="De Schoof", address="Plein 1", opening_hours="ma 9-12", phone="0546")
    )
    factory.session.commit()
    assert "inloopuur in De Schoof, Plein 1" in advice()


def test_a_neighbourhood_far_below_its_own_earlier_use_is_silent(factory: Factory, coordinator: Browser) -> None:
    factory.now -= 60 * DAY
    round_of(factory, {"BU01411900": (120, 40), "BU01411901": (60, 50), "BU01411902": (60, 40)})
    factory.now += 60 * DAY
    round_ = round_of(factory, {"BU01411900": (120, 90), "BU01411901": (60, 22), "BU01411902": (60, 40)})

    (found,) = coordinator.get(f"/beheer/rondes/{round_.id}/cijfers").all(".fin-row")

    assert "wat je na de vorige ronde zou verwachten" in found.to_text()


def test_nothing_is_called_silent_before_a_hundred_were_given(factory: Factory, coordinator: Browser) -> None:
    round_ = round_of(factory, {"BU01411900": (90, 60), "BU01411901": (60, 0)})

    assert "nog te vroeg" in coordinator.get(f"/beheer/rondes/{round_.id}/cijfers").text


def with_all_ends(factory: Factory) -> Round:
    """A round with vouchers that were given, kept in two ways, gave back, revoked and expired."""
    round_ = round_of(factory, {"BU01411900": (40, 20)})
    stopped = factory.initiative(target_cents=400_000)
    ids = factory.session.scalars(text("SELECT id FROM vouchers WHERE state = 'issued' ORDER BY id LIMIT 5")).all()
    for voucher_id in ids[:2]:
        voucher = factory.session.get_one(Voucher, voucher_id)
        assert factory.give(factory.keys.code(voucher.nonce), stopped) is not None
    service.stop(factory.session, stopped.id, reason="Gaat niet door.", actor=TEST_ACTOR, now=factory.now)
    return_vouchers(factory.session, stopped.id, reason="Gestopt.", actor=TEST_ACTOR, now=factory.now)
    revoke_voucher(factory.session, ids[2], reason="Zoek.", actor=TEST_ACTOR, now=factory.now)
    factory.session.execute(
        text("UPDATE vouchers SET state = 'kept', kept_at = :now, usable_until = :until WHERE id = ANY(:ids)"),
        {"ids": ids[3:], "now": factory.now, "until": round_.closes_at + 365 * DAY},
    )
    expire_round(factory.session, round_.id, actor=TEST_ACTOR, now=round_.closes_at + DAY)
    factory.session.commit()
    return round_


def test_the_closing_report_says_where_every_euro_is(factory: Factory, coordinator: Browser) -> None:
    round_ = with_all_ends(factory)

    page = coordinator.get(f"/beheer/rondes/{round_.id}/slot")

    assert "Telt op, tot op de cent" in page.text
    assert row_of(page, "Bij initiatieven") == ["20", "€ 150,00"]
    assert row_of(page, "Nog te geven: bewaard") == ["2", "€ 15,00"]
    assert row_of(page, "Nog te geven: niet bewaard") == ["2", "€ 15,00"]
    assert row_of(page, "Samen") == ["40", "€ 300,00"]
    assert row_of(page, "Uitgegeven volgens het kasboek")[1] == "€ 300,00"
    assert row_of(page, "Verschil")[1] == "€ 0,00"
    assert "kostte deze ronde het budget € 180,00" in page.text
    answer = coordinator.client.get(f"/beheer/rondes/{round_.id}/slot.csv").get_data(as_text=True)
    rows = list(csv.reader(io.StringIO(answer.removeprefix("\ufeff")), delimiter=";"))
    amounts = {row[0]: row[6] for row in rows if row[0] != "initiatief"}
    assert (amounts["samen"], amounts["uitgegeven"], amounts["verschil"]) == ("300,00", "300,00", "0,00")
    assert sorted(row[6] for row in rows if row[0] == "initiatief") == ["0,00", "150,00"]
    assert {row[3] for row in rows if row[0] == "initiatief"} == {str(State.PUBLISHED.label), str(State.STOPPED.label)}


def test_a_report_that_does_not_add_up_says_so(factory: Factory, coordinator: Browser) -> None:
    round_ = with_all_ends(factory)
    factory.session.execute(text("UPDATE vouchers SET state = 'expired' WHERE state = 'kept'"))
    factory.session.commit()

    page = coordinator.get(f"/beheer/rondes/{round_.id}/slot")

    assert "Klopt niet" in page.text
    assert "Telt op" not in page.text


def test_a_round_that_was_not_issued_has_no_report(factory: Factory, coordinator: Browser) -> None:
    planned = factory.round(opens=30 * DAY, closes=60 * DAY)
    factory.session.commit()

    coordinator.get(f"/beheer/rondes/{planned.id}/slot", status=404)
    coordinator.get(f"/beheer/rondes/{planned.id}/cijfers", status=404)


def test_a_curve_moves_by_ten_gifts_at_a_time(factory: Factory, coordinator: Browser) -> None:
    round_ = round_of(factory, {"BU01411900": (100, 0)})
    give(factory, round_, {"BU01411900": 19})
    factory.session.commit()

    page = coordinator.get(f"/beheer/rondes/{round_.id}/cijfers")

    assert f"{round_.name}: 10%" in page.text
