# SPDX-License-Identifier: EUPL-1.2
"""The timetable: every job stands in it, and runs as often as it says."""

from __future__ import annotations

import datetime as dt

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from abs_platform import clock
from abs_platform.config import ROOT_DIR
from abs_platform.work.words import JOBS
from jobs.schedule import TIMETABLE


def test_every_job_stands_in_the_timetable_under_its_own_name() -> None:
    others = {"__init__", "__main__", "holding", "runner", "schedule"}
    files = {path.stem for path in (ROOT_DIR / "jobs").glob("*.py") if not path.stem.startswith("work_")} - others

    assert set(TIMETABLE) == files
    assert {name: entry.job.__module__ for name, entry in TIMETABLE.items()} == {name: f"jobs.{name}" for name in files}
    assert all(entry.when for entry in TIMETABLE.values())


@pytest.mark.parametrize(
    ("name", "runs", "when"),
    [
        ("send_outbox", 17_280, "elke 5 seconden"),
        ("do_work", 28_800, "elke 3 seconden"),
        ("issue_vouchers", 96, "elk kwartier"),
        ("book_entries", 96, "elk kwartier"),
        ("close_initiatives", 1440, "elke minuut"),
        ("count_progress", 1440, "elke minuut"),
        ("refund_payments", 1440, "elke minuut"),
        ("reconcile_payments", 144, "elke 10 minuten"),
        ("tell_of_funding", 1440, "elke minuut"),
        ("expire_vouchers", 288, "elke 5 minuten"),
        ("send_reminders", 1, "elke ochtend om 8.00 uur"),
        ("check_ledger", 1, "elke nacht om 3.10 uur"),
        ("prove_rounds", 1, "elke nacht om 3.30 uur"),
        ("purge_personal_data", 1, "elke nacht om 4.10 uur"),
    ],
)
def test_each_job_runs_as_often_as_it_says(name: str, runs: int, when: str) -> None:
    begin = dt.datetime(2026, 6, 1, tzinfo=clock.AMSTERDAM)

    assert TIMETABLE[name].when == when
    assert len(fire_times(name, begin, begin + dt.timedelta(days=1))) == runs


@pytest.mark.parametrize("name", ["check_ledger", "purge_personal_data"])
@pytest.mark.parametrize("day", [dt.date(2026, 3, 29), dt.date(2026, 10, 25)])
def test_a_nightly_job_runs_once_in_the_night_that_the_clock_changes(name: str, day: dt.date) -> None:
    begin = clock.start_of_day(day).astimezone(clock.AMSTERDAM)

    times = fire_times(name, begin, clock.end_of_day(day))

    assert [(time.hour, time.minute) for time in times] == [(3 if name == "check_ledger" else 4, 10)]


def test_every_job_has_words_for_the_coordinator() -> None:
    assert set(TIMETABLE) <= set(JOBS)
    assert all(str(words.label) and str(words.purpose) for words in JOBS.values())


def fire_times(name: str, begin: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    """When a job fires in a stretch of time."""
    trigger = TIMETABLE[name].trigger
    times: list[dt.datetime] = []
    last = begin
    while True:
        if isinstance(trigger, IntervalTrigger):
            found = begin if not times else last + trigger.interval
        else:
            found = trigger.get_next_fire_time(times[-1] if times else None, last)
        if found >= end:
            return times
        times.append(found)
        last = found
