# SPDX-License-Identifier: EUPL-1.2
"""A process that leads the whole life of a small round, for tests that kill it; begun again it goes on where it was.

As tests.concurrency.victim: an order a line, a forked child for each, an answer a line. A child dies after so many
seconds, before its so manieth commit (in the middle of a transaction), or after its so manieth file (before its row).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from abs_platform import create_app
from abs_platform.actors import GIVER, Actor
from abs_platform.clock import local_date
from abs_platform.config import Settings
from abs_platform.database import transaction
from abs_platform.donations.service import GiftDetails, give_voucher
from abs_platform.donations.states import Channel
from abs_platform.households.models import Household
from abs_platform.letters import handing_over, press, service
from abs_platform.letters.desk_queries import order_of_run
from abs_platform.letters.filing import Folder, SealedStore
from abs_platform.letters.queries import approved_text_id, order_key, run_of_batch
from abs_platform.letters.states import RunState
from abs_platform.replacements.queries import Address
from abs_platform.replacements.service import ask, print_requests
from abs_platform.rounds.models import Round
from abs_platform.rounds.service import lock_round, plan_round, release
from abs_platform.rounds.states import RoundState
from abs_platform.vouchers.models import Voucher, VoucherBatch
from abs_platform.vouchers.states import BatchKind
from abs_platform.work import service as work
from abs_platform.work.states import WorkKind, WorkState
from jobs import do_work, expire_vouchers, issue_vouchers
from jobs.runner import Job, run_job

ACTOR = Actor("staff", "1")
DAY = dt.timedelta(days=1)
APART = 45 * DAY
LETTERS_A_FILE = 10
GIVEN, LOST = range(12), range(8, 22)
PATIENCE = 60.0


class Life:
    """One round from its plan to its end. Each step looks what is there, and does what is not."""

    def __init__(self, number: int, began: dt.datetime, folder: Path, initiative_id: int) -> None:
        self.name = f"Ronde {number}"
        self.opens = began + number * APART
        self.closes = self.opens + 20 * DAY
        self.running = self.opens + 2 * DAY
        self.folder = folder / str(number)
        self.initiative_id = initiative_id
        self.keys = current_app.extensions["code_keys"]

    def live(self) -> None:
        """All of it."""
        self.plan()
        _job("issue_vouchers", issue_vouchers.run, self.opens - 4 * DAY)
        self.letters(BatchKind.ISSUE)
        self.give_and_lose()
        self.replace()
        self.letters(BatchKind.REPLACEMENT)
        _job("expire_vouchers", expire_vouchers.run, self.closes + DAY)

    def round(self, session: Session) -> Round | None:
        return session.scalar(select(Round).where(Round.name == self.name))

    def plan(self) -> None:
        planned_at = self.opens - 30 * DAY
        rules = current_app.extensions["settings"].rules
        with transaction() as session:
            if self.round(session) is None:
                plan_round(
                    session,
                    name=self.name,
                    issue_on=local_date(self.opens - 5 * DAY),
                    opens_at=self.opens,
                    closes_at=self.closes,
                    amount_cents=rules.voucher_amount_cents,
                    districts=(),
                    rules=rules,
                    actor=ACTOR,
                    now=planned_at,
                )
        with transaction() as session:
            round_ = lock_round(session, _there(self.round(session)).id)
            if round_.state == RoundState.PLANNED and round_.released_at is None:
                text_id = approved_text_id(session)
                release(session, round_, letter_text_id=text_id, actor=ACTOR, now=planned_at)

    def letters(self, kind: BatchKind) -> None:
        """First sealed, by the job process; the new letters into a folder, as the command does."""
        with transaction() as session:
            round_id = _there(self.round(session)).id
            wanted = select(VoucherBatch.id).where(VoucherBatch.round_id == round_id, VoucherBatch.kind == kind.value)
            batch_id = session.scalars(wanted).one()
            text_id = _there(approved_text_id(session))
            run = service.begin_run(
                session, batch_id, text_id=text_id, keys=self.keys, actor=ACTOR, now=self.opens - 3 * DAY
            )
            run_id, is_made = run.id, run.state != RunState.MAKING
        if kind == BatchKind.ISSUE:
            while not is_made:  # after three deaths an order has failed, and is asked for again
                is_made = self.make_sealed(run_id)
        elif not (self.folder / "manifest.json").exists():
            press.make_files(run_id, self.folder, keys=self.keys)
        with transaction() as session:
            row = _there(run_of_batch(session, batch_id))
            assert row.state in {RunState.MADE, RunState.HANDED_OVER}, order_of_run(session, run_id)
            if row.state == RunState.MADE:
                handing_over.hand_over(
                    session,
                    run_id,
                    seen_letters=row.letter_count,
                    seen_files=len(row.files),
                    actor=ACTOR,
                    now=self.running,
                )

    def make_sealed(self, run_id: int) -> bool:
        """Ask for it as the desk does, and let the job process do it; whether it did."""
        with transaction() as session:
            key, params = order_key(run_id), {"run_id": run_id}
            work.order(session, WorkKind.MAKE_LETTERS, key=key, params=params, account_id=None, now=self.opens)
        _job("do_work", do_work.run, self.opens)
        with transaction() as session:
            ordered = _there(order_of_run(session, run_id))
            assert ordered.state == WorkState.DONE or ordered.attempts == work.MOST_ATTEMPTS, ordered.error
            return bool(ordered.state == WorkState.DONE)

    def give_and_lose(self) -> None:
        """Some give, some ask for a new letter, some both."""
        with transaction() as session:
            homes = session.scalars(select(Household).order_by(Household.id)).all()
            for home in (homes[place] for place in LOST):
                address = Address(home.postcode, home.house_number, home.house_letter, home.house_addition)
                client = home.id.to_bytes(16)
                ask(session, address, channel=Channel.ONLINE, client=client, most=5, actor=GIVER, now=self.running)
            given = [homes[place].id for place in GIVEN]
            round_id = _there(self.round(session)).id
            digests = session.scalars(
                select(Voucher.code_digest)
                .where(Voucher.round_id == round_id, Voucher.household_id.in_(given), Voucher.state == "issued")
                .order_by(Voucher.id)
            ).all()
        for digest in digests:
            with transaction() as session:
                give_voucher(session, digest, self.initiative_id, details=GiftDetails(), now=self.running)

    def replace(self) -> None:
        with transaction() as session:
            round_id = _there(self.round(session)).id
            waiting = "SELECT count(*) FROM replacement_requests WHERE state = 'waiting' AND round_id = :id"
            expected = session.scalar(text(waiting), {"id": round_id}) or 0
            if expected:
                print_requests(session, round_id, expected=expected, keys=self.keys, actor=ACTOR, now=self.running)


def _there(found: Any) -> Any:
    assert found is not None
    return found


def _job(name: str, job: Job, now: dt.datetime) -> None:
    """As the timetable runs it: again until the database noticed that the other died."""
    deadline = time.monotonic() + PATIENCE
    while (report := run_job(name, job, now)) is None:
        assert time.monotonic() < deadline, "the killed job still has its lock"
    assert report.errors == []


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arrange_death(how: str, when: float) -> None:
    """Let this process die: "seconds", "commit" (before the so manieth) or "file" (after the so manieth was put)."""
    if how == "seconds":
        timer = threading.Timer(when, _die)
        timer.daemon = True
        timer.start()
    elif how == "commit":
        commits = count(1)

        def before_commit(_session: object) -> None:
            if next(commits) == when:
                _die()

        event.listen(Session, "before_commit", before_commit)
    elif how == "file":
        files = count(1)
        for shelf in (SealedStore, Folder):
            put: Callable[..., str | None] = shelf.put

            def put_and_die(*args: Any, _put: Callable[..., str | None] = put) -> str | None:
                key = _put(*args)
                if next(files) == when:
                    _die()
                return key

            shelf.put = put_and_die  # type: ignore[method-assign]


def _child(app: Flask, order: dict[str, Any]) -> int:
    try:
        service.LETTERS_A_FILE = LETTERS_A_FILE
        _arrange_death(order["how"], order["when"])
        began = dt.datetime.fromisoformat(order["began"])
        with app.app_context():
            Life(order["life"], began, Path(order["folder"]), order["initiative"]).live()
    except Exception:  # noqa: BLE001 - whatever it was, the test must see it
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """Carry out orders until there are no more."""
    app = create_app(Settings.from_env())
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_child(app, order))
        _pid, status = os.waitpid(child, 0)
        print(json.dumps({"killed": os.WIFSIGNALED(status), "status": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
