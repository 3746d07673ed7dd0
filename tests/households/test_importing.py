# SPDX-License-Identifier: EUPL-1.2
"""Importing addresses: all of a file or nothing, gone addresses are ended, and a second run changes nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from abs_platform.areas.models import Area
from abs_platform.events import Event
from abs_platform.households.models import AddressImport, Household
from abs_platform.households.service import ADDRESSES_LOCK, ImportRejected, TooManyGone, hold_addresses_still
from abs_platform.households.states import SkipReason, Variant
from tests.households.files import FULL, SHORT, home, key_row, object_id, write_bag, write_key
from tests.households.importing import NOW, counts, ended, everything, run

TODAY_IN_ALMELO = dt.date(2026, 11, 23)
LATER = NOW + dt.timedelta(days=30)

# What an import does


def test_an_import_stores_the_households_and_where_they_came_from(session: Session, tmp_path: Path) -> None:
    bag = write_bag(tmp_path, [home(1), home(2, gemeente="Hengelo"), home(3, nevenadres="t")])

    report = run(session, bag, write_key(tmp_path), bag_edition="2026-11")

    household = session.scalars(select(Household)).one()
    neighbourhood = session.get_one(Area, household.neighbourhood_id)
    assert (household.street, household.house_number, household.postcode) == ("Grotestraat", 1, "7607AA")
    assert (household.bag_object_id, household.bag_address_id) == (object_id(1), "0141200000000001")
    assert neighbourhood.code == "BU01411000"
    assert household.ended_on is None
    assert counts(report) == {"new": 1}
    assert {reason: count for reason, count in report.skipped.items() if count} == {
        SkipReason.OTHER_MUNICIPALITY: 1,
        SkipReason.SECONDARY_ADDRESS: 1,
    }
    stored = session.scalars(select(AddressImport)).one()
    assert (stored.bag_file, stored.bag_edition, stored.key_edition) == ("bag.csv", "2026-11", 2025)
    assert (stored.bag_sha256, stored.key_sha256) == (report.bag_sha256, report.key_sha256)
    assert (stored.new_count, stored.skipped_count, stored.actor) == (1, 2, "command:test")
    event = session.scalars(select(Event).where(Event.kind == "addresses.imported")).one()
    assert event.subject_id == stored.id


def test_a_second_run_of_the_same_file_changes_nothing(session: Session, tmp_path: Path) -> None:
    files = write_bag(tmp_path, [home(1), home(2)]), write_key(tmp_path)
    run(session, *files)
    before = everything(session)

    report = run(session, *files, now=LATER)

    assert counts(report) == {"unchanged": 2}
    assert report.changed_nothing
    assert everything(session) == before


def test_other_bytes_with_the_same_addresses_are_remembered_but_write_no_address(
    session: Session, tmp_path: Path
) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(1), home(2)]), key)
    before = ended(session), session.scalar(text("SELECT max(ctid) FROM households"))

    report = run(session, write_bag(tmp_path, [home(2), home(1)]), key)

    assert counts(report) == {"unchanged": 2}
    assert (ended(session), session.scalar(text("SELECT max(ctid) FROM households"))) == before
    assert session.scalar(select(func.count()).select_from(AddressImport)) == 2


@pytest.mark.parametrize(
    "differences",
    [
        {"openbareruimte": "Kleinestraat"},
        {"huisnummer": "9"},
        {"huisletter": "A"},
        {"huisnummertoevoeging": "2"},
        {"nummeraanduiding": "0141200000000999"},
        {"woonplaats": "Bornerbroek"},
        {"object_type": "LIG", "verblijfsobjectstatus": "Plaats aangewezen"},
    ],
)
def test_a_changed_address_is_written(session: Session, tmp_path: Path, differences: dict[str, str]) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(1), home(2)]), key)

    report = run(session, write_bag(tmp_path, [home(1, **differences), home(2)]), key)

    assert counts(report) == {"changed": 1, "unchanged": 1}


@pytest.mark.parametrize("columns", [FULL, SHORT], ids=["full", "short"])
def test_an_address_that_gets_another_object_stays_the_same_household(
    session: Session, tmp_path: Path, columns: list[str]
) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(1), home(2)], columns), key)
    before = session.scalars(select(Household.id).order_by(Household.id)).all()

    report = run(session, write_bag(tmp_path, [home(1, object_id=object_id(99)), home(2)], columns), key)
    again = run(session, write_bag(tmp_path, [home(1, object_id=object_id(99)), home(2)], columns), key)

    assert counts(report) == {"changed": 1, "unchanged": 1}
    assert counts(again) == {"unchanged": 2}
    assert session.scalars(select(Household.id).order_by(Household.id)).all() == before
    assert ended(session) == {object_id(99): None, object_id(2): None}


def test_a_new_dwelling_at_an_ended_address_is_a_new_household(session: Session, tmp_path: Path) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(n) for n in range(1, 21)]), key)
    run(session, write_bag(tmp_path, [home(n) for n in range(2, 21)]), key)

    report = run(session, write_bag(tmp_path, [home(1, object_id=object_id(99)), *map(home, range(2, 21))]), key)

    assert counts(report) == {"new": 1, "unchanged": 19}


def test_an_address_moves_with_its_neighbourhood(session: Session, tmp_path: Path) -> None:
    bag = write_bag(tmp_path, [home(1)])
    run(session, bag, write_key(tmp_path))

    report = run(session, bag, write_key(tmp_path, [key_row(1, Buurt2025="01411001")]))

    area_id = session.scalars(select(Household.neighbourhood_id)).one()
    assert counts(report) == {"changed": 1}
    assert session.get_one(Area, area_id).code == "BU01411001"


def test_a_gone_address_is_ended_today_in_almelo_and_stays(session: Session, tmp_path: Path) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(n) for n in range(1, 21)]), key)

    report = run(session, write_bag(tmp_path, [home(n) for n in range(2, 21)]), key)

    assert counts(report) == {"gone": 1, "unchanged": 19}
    assert {key: day for key, day in ended(session).items() if day} == {object_id(1): TODAY_IN_ALMELO}


def test_an_address_that_is_no_dwelling_any_more_is_ended(session: Session, tmp_path: Path) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(n) for n in range(1, 21)]), key)
    shop = home(1, verblijfsobjectgebruiksdoel="winkelfunctie")

    report = run(session, write_bag(tmp_path, [shop, *(home(n) for n in range(2, 21))]), key)

    assert counts(report) == {"gone": 1, "unchanged": 19}


def test_an_ended_address_that_is_back_lives_again(session: Session, tmp_path: Path) -> None:
    key = write_key(tmp_path)
    rows = [home(n) for n in range(1, 21)]
    run(session, write_bag(tmp_path, rows), key)
    run(session, write_bag(tmp_path, rows[1:]), key)
    ids = set(session.scalars(select(Household.id)))

    report = run(session, write_bag(tmp_path, [home(1, huisletter="b"), *rows[1:]]), key, now=LATER)

    assert counts(report) == {"new": 1, "back": 1, "unchanged": 19}
    assert not any(ended(session).values())
    assert set(session.scalars(select(Household.id))) == ids
    assert session.scalar(select(Household.house_letter).where(Household.bag_object_id == object_id(1))) == "B"


def test_two_streets_may_share_a_postcode_and_a_number(session: Session, tmp_path: Path) -> None:
    rows = [home(1), home(2, huisnummer="1", openbareruimte="Kleinestraat")]

    report = run(session, write_bag(tmp_path, rows), write_key(tmp_path))

    assert counts(report) == {"new": 2}


def test_the_short_variant_takes_every_main_address_and_keeps_the_address_ids(session: Session, tmp_path: Path) -> None:
    key = write_key(tmp_path)
    shop = home(2, verblijfsobjectgebruiksdoel="winkelfunctie")
    run(session, write_bag(tmp_path, [home(1), shop]), key)

    report = run(session, write_bag(tmp_path, [home(1, huisletter="A"), shop], SHORT), key)

    assert counts(report) == {"new": 1, "changed": 1}
    assert report.variant is Variant.SHORT
    assert "korte variant" in report.warnings[0]
    known = dict(session.execute(select(Household.bag_object_id, Household.bag_address_id)).all())
    assert known == {object_id(1): "0141200000000001", object_id(2): None}


def test_a_dry_run_is_a_run_that_is_rolled_back(session: Session, tmp_path: Path) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(1), home(2)]), key)
    session.commit()
    before = everything(session)

    report = run(session, write_bag(tmp_path, [home(1, huisletter="C"), home(2), home(3)]), key)
    session.rollback()

    assert counts(report) == {"new": 1, "changed": 1, "unchanged": 1}
    assert everything(session) == before


def test_the_summary_names_the_counts_and_the_reasons(session: Session, tmp_path: Path) -> None:
    rows = [home(1), home(2, verblijfsobjectstatus="Iets nieuws"), home(3, postcode="")]

    report = run(session, write_bag(tmp_path, rows), write_key(tmp_path), skip_rejected=True)

    summary = report.summary()
    assert "nieuw 1, veranderd 0, verdwenen 0, gelijk 0" in summary
    assert "overgeslagen 1: " in summary
    assert "niet in gebruik 1" in summary
    assert "afgekeurd 1\n  regel 4, kolom postcode: de postcode ontbreekt." in summary
    assert "Status 'Iets nieuws' is onbekend" in summary
    assert report.bag_sha256 in summary


# Against issuing


def can_lock(session: Session, function: str) -> bool:
    """Whether another transaction could take this lock on the addresses now."""
    with session.connection().engine.connect() as other:
        return bool(other.scalar(text(f"SELECT {function}({ADDRESSES_LOCK})")))


def test_an_import_waits_for_whoever_holds_the_addresses_still(session: Session) -> None:
    hold_addresses_still(session)

    assert can_lock(session, "pg_try_advisory_xact_lock_shared")
    assert not can_lock(session, "pg_try_advisory_xact_lock")


def test_whoever_holds_the_addresses_still_waits_for_an_import(session: Session, tmp_path: Path) -> None:
    run(session, write_bag(tmp_path, [home(1)]), write_key(tmp_path))

    assert not can_lock(session, "pg_try_advisory_xact_lock_shared")


# Gone


@pytest.mark.parametrize(("left", "stops"), [(18, False), (17, True), (1, True)])
def test_more_than_ten_percent_gone_stops_the_import(session: Session, tmp_path: Path, left: int, stops: bool) -> None:
    key = write_key(tmp_path)
    rows = [home(n) for n in range(1, 21)]
    run(session, write_bag(tmp_path, rows), key)
    before = everything(session)
    bag = write_bag(tmp_path, rows[:left])

    if stops:
        with pytest.raises(TooManyGone, match=f"{20 - left} van de 20 adressen") as caught:
            run(session, bag, key)
        assert caught.value.report.gone == 20 - left
        assert everything(session) == before
    report = run(session, bag, key, allow_gone=stops)

    assert counts(report) == {"gone": 20 - left, "unchanged": left}


def test_addresses_that_had_ended_before_do_not_count_as_living(session: Session, tmp_path: Path) -> None:
    key = write_key(tmp_path)
    rows = [home(n) for n in range(1, 21)]
    run(session, write_bag(tmp_path, rows), key)
    run(session, write_bag(tmp_path, rows[:10]), key, allow_gone=True)

    with pytest.raises(TooManyGone, match="2 van de 10 adressen"):
        run(session, write_bag(tmp_path, rows[:8]), key)


# Rejected lines


def test_a_rejected_line_stops_everything_and_the_error_carries_the_report(session: Session, tmp_path: Path) -> None:
    rows = [home(1), home(2, postcode=""), home(3, huisnummer="-"), home(4, nevenadres="t")]
    before = everything(session)

    with pytest.raises(ImportRejected) as caught:
        run(session, write_bag(tmp_path, rows), write_key(tmp_path))

    report = caught.value.report
    assert [(r.line, r.column) for r in report.rejections] == [(3, "postcode"), (4, "huisnummer")]
    assert (report.rejected, report.skipped[SkipReason.SECONDARY_ADDRESS]) == (2, 1)
    assert everything(session) == before


def test_the_rest_is_applied_when_rejected_lines_are_skipped(session: Session, tmp_path: Path) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(1), home(2)]), key)
    rows = [home(1, huisletter="A"), home(2, postcode=""), home(3)]

    report = run(session, write_bag(tmp_path, rows), key, skip_rejected=True)

    assert counts(report) == {"new": 1, "changed": 1, "rejected": 1}
    assert ended(session) == dict.fromkeys(map(object_id, (1, 2, 3)))


@pytest.mark.parametrize("bad_id", ["141010000000002", object_id(2)])
def test_a_rejected_line_keeps_its_household_while_its_object_can_be_read(
    session: Session, tmp_path: Path, bad_id: str
) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(n) for n in range(1, 21)]), key)
    rows = [home(1), home(2, object_id=bad_id, postcode=""), *(home(n) for n in range(4, 21))]

    report = run(session, write_bag(tmp_path, rows), key, skip_rejected=True)

    assert counts(report) == {"gone": 1, "unchanged": 18, "rejected": 1}
    assert [key for key, day in ended(session).items() if day] == [object_id(3)]


def test_nothing_is_ended_while_the_object_of_a_rejected_line_cannot_be_read(session: Session, tmp_path: Path) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(n) for n in range(1, 21)]), key)
    rows = [home(1, object_id="1,41E+14"), *(home(n) for n in range(3, 21))]

    report = run(session, write_bag(tmp_path, rows), key, skip_rejected=True)

    assert counts(report) == {"unchanged": 18, "rejected": 1}
    assert not any(ended(session).values())
    assert any("geen enkel adres als verdwenen" in warning for warning in report.warnings)


def test_all_rejected_lines_are_counted_and_the_first_thousand_kept(session: Session, tmp_path: Path) -> None:
    rows = [home(n, huisnummer="1", postcode="") for n in range(1, 1_502)]

    with pytest.raises(ImportRejected, match=r"en nog 1\.481\.") as caught:
        run(session, write_bag(tmp_path, rows), write_key(tmp_path))

    assert caught.value.report.rejected == 1_501
    assert len(caught.value.report.rejections) == 1_000
