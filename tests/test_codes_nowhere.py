# SPDX-License-Identifier: EUPL-1.2
"""After all that can be done with codes, none stands in the database, a log, a mail, the file store, or an address."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask, request
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from abs_platform.accounts.models import Account
from abs_platform.database import db, transaction
from abs_platform.initiatives.models import Initiative
from abs_platform.letters import press
from abs_platform.letters.queries import runs_of_round
from abs_platform.mail.service import message_of
from abs_platform.objections.models import Objection
from abs_platform.outbox import OutgoingMail
from abs_platform.paper import giving as paper_giving
from abs_platform.rounds.models import Round
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import public
from abs_platform.storage import FileStore
from abs_platform.users import Role
from abs_platform.vouchers.codes import format_payload, read_code
from abs_platform.vouchers.models import Voucher
from jobs.runner import JobReport, run_job
from jobs.schedule import TIMETABLE
from tests.factories import Factory
from tests.letters.making import approved_text, batch_of
from tests.page import Browser
from tests.people import OWN_DESK, People

_SEPARATORS = re.compile(r"(?:[\s\u00a0._+-]|%20|\\n)+")
_LOOKS_LIKE = str.maketrans("oil", "011")
_ADDRESSES = re.compile(r"\b(?:href|src|action|formaction)=\"([^\"]*)\"")


def plain(words: str) -> str:
    """A text without case, separators, and the difference between what looks alike."""
    return _SEPARATORS.sub("", words.lower()).translate(_LOOKS_LIKE)


def spellings(code: str) -> tuple[set[str], set[str], set[bytes]]:
    """A code as it could stand somewhere: to be sought in plain text, in text as it is, and in bytes."""
    bare = code.replace("-", "")
    written = {code, bare, code.replace("-", " "), code.lower(), bare.lower()}
    exact = set()
    for one in [word.encode() for word in written] + raw(code):
        exact.add(one.hex())
        for shift in range(3):  # wherever it begins in what was encoded
            whole = base64.b64encode(b"\0" * shift + one).decode().rstrip("=")
            exact.add(whole[(0, 2, 3)[shift] : -1])
    numbers = {str(read_code(code))} if len(bare) == 12 and is_code(code) else set()
    return {plain(code)}, {one for one in exact if len(one) >= 9} | numbers, {one for one in raw(code) if len(one) > 6}


def is_code(code: str) -> bool:
    """Whether its check character is right."""
    try:
        read_code(code)
    except ValueError:
        return False
    return True


def raw(code: str) -> list[bytes]:
    """The bits of a code, as a number in bytes."""
    return (
        [read_code(code).to_bytes(size, order) for size in (7, 8) for order in ("big", "little")]
        if is_code(code)
        else []
    )  # type: ignore[arg-type]


@dataclass
class Search:
    """Looks for codes in all that is shown to it, and remembers where it found one."""

    codes: Iterable[str]
    found: list[str] = field(default_factory=list)
    seen: int = 0

    def __post_init__(self) -> None:
        forms = [spellings(code) for code in self.codes]
        self.plain, self.exact, self.bytes = (set().union(*one) for one in zip(*forms, strict=True))

    def look(self, where: str, content: str | bytes) -> None:
        """Look in a text, or in bytes."""
        self.seen += 1
        if isinstance(content, bytes):
            hits = [one for one in self.bytes if one in content]
            content = content.decode("latin-1")
        else:
            hits = []
        tidy = plain(content)
        hits += [one for one in self.plain if one in tidy]
        hits += [one for one in self.exact if one in content]
        self.found += [f"{where}: {one!r}" for one in hits]

    def database(self, session: Session) -> None:
        """Every column of every row."""
        tables = session.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
        ).all()
        for table in tables:
            rows = session.scalars(text(f'SELECT t::text FROM "{table}" t')).all()
            self.look(f"table {table}", "\n".join(rows))
            of_bytes = session.scalars(
                text(
                    "SELECT column_name FROM information_schema.columns WHERE table_name = :t AND data_type = 'bytea'"
                ),
                {"t": table},
            ).all()
            for column in of_bytes:
                for value in session.scalars(text(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL')):
                    self.look(f"{table}.{column}", bytes(value))

    def file_store(self, store: FileStore) -> int:
        """Every byte of every file; returns how many files there were."""
        keys = [key for key, _written_at in store.keys("")]
        for key in keys:
            self.look(f"file {key}", store.get(key)[0] + key.encode())
        return len(keys)


@dataclass
class Journey:
    """Browsers whose every answer is kept: status, headers, addresses on its page, and what is in its cookies."""

    app: Flask
    told: list[tuple[str, str]] = field(default_factory=list)
    statuses: list[tuple[str, int]] = field(default_factory=list)

    def send(
        self, browser: Browser, page: str, data: dict[str, Any], action: str | None = None, **options: Any
    ) -> TestResponse:
        """Open a page, send one of its forms, and look at where it leads."""
        opened = self.open(browser, page)
        token = re.search(r'name="csrf_token" value="([^"]+)"', opened.get_data(as_text=True))
        data = data | ({"csrf_token": token[1]} if token else {})  # /voucher needs none: it gives nothing
        answer = browser._send("POST", action or page, data=data, **options)
        self._keep(f"POST {action or page}", answer)
        return answer

    def open(self, browser: Browser, page: str, **options: Any) -> TestResponse:
        """Open a page."""
        answer = browser._send("GET", page, **options)
        self._keep(f"GET {page.split('?', maxsplit=1)[0]}", answer)
        return answer

    def _keep(self, what: str, answer: TestResponse) -> None:
        self.statuses.append((what, answer.status_code))
        answer.get_data()
        answer.close()
        self.told += [(f"{what}: {name}", value) for name, value in answer.headers]
        if answer.mimetype == "text/html":
            page = answer.get_data(as_text=True)
            addresses = _ADDRESSES.findall(page)
            self.told.append((f"{what}: addresses", "\n".join(addresses)))
        opener = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        for cookie in SimpleCookie("; ".join(answer.headers.getlist("Set-Cookie"))).values():
            if cookie.key.endswith("session") and cookie.value:
                self.told.append((f"{what}: session", json.dumps(opener.loads(cookie.value), default=str)))


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """All that is logged, as production writes it, with the traces of errors."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ]
        )
    )
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def mistyped(code: str) -> str:
    """One character wrong: its check character tells."""
    return ("1" if code[0] != "1" else "2") + code[1:]


@dataclass
class TownWithCodes:
    """A round whose letters are to be made, an initiative, and who does something with codes."""

    app: Flask
    factory: Factory
    round: Round
    initiative: Initiative
    codes: list[str]
    people: People
    journey: Journey

    def staff(self, *roles: Role) -> Browser:
        return self.people.browser(self.factory.account(name="Bea", roles=roles, desks=(OWN_DESK,)))


@pytest.fixture
def town(own_app: Flask, own_session: Session, own_factory: Factory, monkeypatch: pytest.MonkeyPatch) -> TownWithCodes:
    app, session, factory = own_app, own_session, own_factory
    few = lambda: replace(current_rules(), large_batch_codes=2)  # noqa: E731
    monkeypatch.setattr(paper_giving, "current_rules", few)
    factory.households(24)
    round_ = factory.round(name="Najaar 2026")
    approved_text(factory)
    factory.issue(round_)
    nonces = session.scalars(select(Voucher.nonce).order_by(Voucher.id)).all()
    initiative = factory.initiative(title="Een pluktuin aan de Westeres")
    session.commit()
    codes = [factory.keys.code(nonce) for nonce in nonces]
    return TownWithCodes(app, factory, round_, initiative, codes, People(app, factory), Journey(app))


def work(now: Any) -> None:
    """Let the job process do what waits."""
    report = run_job("do_work", TIMETABLE["do_work"].job, now)
    assert report is not None
    assert report.errors == []


def make_letters(town: TownWithCodes, folder: Path) -> None:
    """Sealed for the desk, downloaded and handed over; and into a folder."""
    session, journey, coordinator = town.factory.session, town.journey, town.staff(Role.COORDINATOR)
    page = f"/beheer/rondes/{town.round.id}/brieven"
    batch = batch_of(town.factory, town.round)
    session.commit()
    assert journey.send(coordinator, page, {}, f"{page}/maken/{batch}").status_code == 303
    work(town.factory.now)
    session.expire_all()
    run = runs_of_round(session, town.round.id)[-1]
    session.commit()
    for action in (
        f"{page}/{run.id}/bestand/addresses/1",
        f"{page}/{run.id}/bestand/letters/1",
        f"{page}/{run.id}/alles",
    ):
        assert journey.send(coordinator, page, {}, action).status_code == 200
    counts = {"letters": run.letter_count, "files": len(run.files), "sure": "1"}
    assert journey.send(coordinator, f"{page}/{run.id}/overdragen", counts).status_code == 303
    press.make_files(run.id, folder, keys=town.factory.keys)
    session.expire_all()


def give_online(town: TownWithCodes, code: str, wrong: str) -> None:
    """With the page, and wrong, and by the API."""
    journey, anyone, chosen = town.journey, Browser(town.app), str(town.initiative.id)
    journey.open(anyone, "/v")
    for typed in (wrong, mistyped(code), code.lower()):
        journey.send(anyone, "/voucher", {"code": typed, "initiative_id": chosen})
    form = {"code": code, "initiative_id": chosen, "giver_name": "Fien", "giver_email": "fien@geheim.example"}
    asked = anyone._send("POST", "/voucher", data=form)
    token = re.search(r'name="csrf_token" value="([^"]+)"', asked.get_data(as_text=True))
    assert token
    given = anyone._send("POST", "/voucher/geven", data=form | {"csrf_token": token[1], "wants_news": "on"})
    journey._keep("POST /voucher/geven", given)
    assert given.status_code == 303
    journey.open(anyone, given.location)
    body = {"code": wrong, "initiativeId": town.initiative.id}
    journey._keep("POST /api", anyone._send("POST", "/api/v1/voucher-donations", json=body))


def keep_and_give(town: TownWithCodes, codes: list[str], wrong: str) -> None:
    """In an account."""
    journey, resident = town.journey, town.people.resident()
    for code in (*codes, wrong, mistyped(codes[0])):
        journey.send(resident, "/account/vouchers", {"code": code}, "/account/vouchers/bewaren")
    kept = town.factory.voucher(codes[0])
    town.factory.session.commit()
    form = {"initiative_id": str(town.initiative.id)}
    page = f"/account/vouchers/{kept.id}/geven?initiatief={town.initiative.id}"
    assert journey.send(resident, page, form, page.split("?", maxsplit=1)[0]).status_code == 303


def enter_paper(town: TownWithCodes, codes: list[str], wrong: str) -> None:
    """Pasted by an organiser: right, wrong, mistyped, twice; more than two wait."""
    journey, organiser = town.journey, town.people.organiser(town.initiative)
    page = f"/account/initiatieven/{town.initiative.id}/papier"
    pasted = "\n".join([*codes, codes[0].lower(), wrong, mistyped(codes[1]), codes[2].replace("-", " ")])
    assert journey.send(organiser, page, {"codes": pasted}).status_code == 200
    journey.send(organiser, page, {"codes": wrong}, headers={"Accept": "application/json"})
    waiting = town.factory.session.scalars(text("SELECT id FROM entry_batches WHERE state = 'waiting'")).all()
    town.factory.session.commit()
    assert len(waiting) == 1
    manager = town.people.manager()
    assert journey.open(manager, f"/regie/papier/{waiting[0]}").status_code == 200


def work_the_desk(town: TownWithCodes, code: str, wrong: str) -> None:
    """At a wijkcentrum, one after the other."""
    journey, desk, number = town.journey, town.staff(Role.DESK), str(town.initiative.id)
    for typed in (wrong, mistyped(code), code):
        journey.send(desk, "/balie", {"code": typed, "number": number})
        assert journey.send(desk, "/balie", {"code": typed, "number": number, "seen": number}).status_code == 303
    journey.open(desk, "/balie")


def object_and_decide(town: TownWithCodes, code: str, wrong: str) -> None:
    """Where did it go, that was not me, and the wijkregisseur looks."""
    journey, anyone, session = town.journey, Browser(town.app, "192.0.2.2"), town.factory.session
    journey.send(anyone, "/voucher/waar", {"code": wrong})
    for action in ("/voucher/waar", "/voucher/waar/niet-ik", "/voucher/waar/bezwaar"):
        answer = journey.send(anyone, "/voucher/waar", {"code": code}, action)
        assert answer.status_code in {200, 303}
    objection = session.scalars(select(Objection.id)).one()
    session.commit()
    page = f"/regie/bezwaren/{objection}"
    decision = {"decision": "upheld", "reason": "De bewoner heeft de brief nog.", "sure": "1"}
    journey.send(town.people.manager(), page, decision)
    session.expire_all()
    assert town.factory.voucher(code).state == "issued"
    session.commit()


def lose_letters(town: TownWithCodes, lost: str, returned: str, wrong: str) -> None:
    """A new letter, and one that the post brings back."""
    journey, session, coordinator = town.journey, town.factory.session, town.staff(Role.COORDINATOR)
    home = session.execute(
        text(
            "SELECT h.postcode, h.house_number FROM households h"
            " JOIN vouchers v ON v.household_id = h.id WHERE v.id = :id"
        ),
        {"id": town.factory.voucher(lost).id},
    ).one()
    session.commit()
    asked = {"postcode": home.postcode, "house_number": str(home.house_number)}
    assert journey.send(Browser(town.app), "/voucher/nieuwe-brief", asked).status_code == 303
    page = f"/beheer/post/{town.round.id}/drukken"
    assert journey.send(coordinator, page, {"count": "1"}).status_code == 303
    for code in (wrong, mistyped(returned), returned, returned):
        journey.send(coordinator, "/beheer/post/retour", {"code": code, "why": "empty"})
    session.expire_all()
    assert town.factory.voucher(returned).state == "revoked"
    assert town.factory.voucher(lost).state == "revoked"
    session.commit()


def break_everything(town: TownWithCodes, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in the middle of each route that takes a code: PostgreSQL repeats a refused row, and all of its values."""

    def bug(**_values: Any) -> str:
        with transaction() as session:
            session.execute(
                text(
                    "INSERT INTO donations"
                    " (reference, initiative_id, kind, amount_cents, state, channel, given_at, message)"
                    " VALUES (:code, 1, 'money', 0, 'confirmed', 'online', now(), :code)"
                ),
                {"code": request.form.get("code") or request.form["codes"]},
            )
        return ""

    def broken_job(_now: object) -> JobReport:
        report = JobReport()
        with town.app.test_request_context("/", method="POST", data={"code": code}):
            report.each([1], lambda _item: len(bug()))
        return report

    organiser = town.people.organiser(town.initiative)
    paper = f"/account/initiatieven/{town.initiative.id}/papier"
    for who, page, action, endpoint in (
        (Browser(town.app), "/voucher/waar", "/voucher", "vouchers.check"),
        (Browser(town.app), "/voucher/waar", "/voucher/geven", "vouchers.give"),
        (Browser(town.app), "/voucher/waar", "/voucher/waar", "objections.look"),
        (town.people.resident(), "/account/vouchers", "/account/vouchers/bewaren", "kept_vouchers.keep_one"),
        (organiser, paper, paper, "paper.enter"),
        (town.staff(Role.DESK), "/balie", "/balie", "counter.send"),
        (town.staff(Role.DESK), "/beheer/post/retour", "/beheer/post/retour", "post_desk.scan"),
    ):
        with monkeypatch.context() as patch:
            patch.setitem(town.app.view_functions, endpoint, public(bug))
            answer = town.journey.send(
                who, page, {"code": code}, action, headers={"Referer": f"http://localhost{page}"}
            )
        assert answer.status_code == 500, endpoint
        assert code not in answer.get_data(as_text=True)
    town.journey.open(Browser(town.app), f"/nergens/{code}".replace(code, "x"))
    run_job("broken", broken_job)
    db.session.rollback()


def mails_of(town: TownWithCodes) -> list[str]:
    """Every mail as it would be sent."""
    settings = town.app.extensions["settings"]
    with town.app.test_request_context():
        return [
            bytes(message_of(mail, settings)).decode() + json.dumps(mail.params, default=str)
            for mail in town.factory.session.scalars(select(OutgoingMail))
        ]


def test_after_a_whole_round_no_code_stands_anywhere_but_in_the_letters(
    town: TownWithCodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, session = town.codes, town.factory.session
    wrong = format_payload(read_code(codes[0]) ^ 1)
    with logged() as lines:
        make_letters(town, tmp_path / "brieven")
        give_online(town, codes[0], wrong)
        keep_and_give(town, codes[1:3], wrong)
        enter_paper(town, codes[3:8], wrong)
        work_the_desk(town, codes[8], wrong)
        object_and_decide(town, codes[8], wrong)
        lose_letters(town, codes[9], codes[10], wrong)
        work(town.factory.now)
        break_everything(town, codes[11], monkeypatch)
        coordinator = town.staff(Role.COORDINATOR)
        for page in ("/beheer/logboek", "/beheer/taken", "/beheer/post", f"/beheer/rondes/{town.round.id}/brieven"):
            assert town.journey.open(coordinator, page).status_code == 200
        exported = town.journey.send(coordinator, "/beheer/logboek", {}, "/beheer/logboek/bestand")
        session.commit()
        for name, scheduled in TIMETABLE.items():
            if name not in {"send_outbox", "reconcile_payments"}:
                run_job(name, scheduled.job, town.factory.now)
                db.session.rollback()
    session.expire_all()
    everything = [town.factory.keys.code(nonce) for nonce in session.scalars(select(Voucher.nonce))]

    search = Search([*everything, wrong, *map(mistyped, codes[:11])])
    search.database(session)
    files = search.file_store(town.app.extensions["file_store"])
    search.look("log", lines.getvalue())
    search.look("event log as a file", exported.get_data())
    for mail in mails_of(town):
        search.look("mail", mail)
    for where, value in town.journey.told:
        search.look(where, value)

    assert search.found == []
    assert len(everything) == len(codes) + 1
    assert files >= 2
    states = {state for (state,) in session.execute(text("SELECT DISTINCT state FROM vouchers"))}
    assert {"given", "kept", "revoked", "issued"} <= states
    assert "CheckViolation" in lines.getvalue()
    assert lines.getvalue().count("unhandled error") == 7
    assert search.seen > 200

    control = Search(codes[:1])
    for file in (tmp_path / "brieven").glob("*.csv"):
        control.look(file.name, file.read_bytes())
    assert control.found, "the search does not find what stands in the printer's file"


@pytest.mark.parametrize(
    "shown",
    [
        "x K7QJ-4MXP-9T2C x",
        "x k7qj 4mxp 9t2c x",
        "K7QJ4MXP9T2C",
        '{"code": "K7QJ4MXP-9T2C"}',
        "?code=k7qj%204mxp%209t2c",
        b"K7QJ4MXP9T2C".hex(),
        base64.b64encode(b'{"x":"K7QJ-4MXP-9T2C"}').decode(),
        base64.b64encode(b'{"xy":"k7qj4mxp9t2c"}').decode(),
    ],
)
def test_the_search_finds_a_code_however_it_is_written(shown: str) -> None:
    search = Search(["K7QJ-4MXP-9T2C"])

    search.look("here", shown)

    assert search.found


def test_the_search_finds_the_bits_of_a_code_and_what_looks_like_it(session: Session, factory: Factory) -> None:
    code = next(code for code in (format_payload(number << 20 | 1) for number in range(10**6, 10**7)) if "0" in code)
    bits = read_code(code)
    shown: list[str | bytes] = [
        code.replace("0", "O"), str(bits), bits.to_bytes(7).hex(), b"x" + bits.to_bytes(7) + b"x",
        base64.b64encode(b"x" + bits.to_bytes(8)).decode(),
    ]  # fmt: skip
    for one in shown:
        search = Search([code])
        search.look("here", one)
        assert search.found, one

    account: Account = factory.account(name=f"Wim {code.lower()}")
    session.flush()
    search = Search([code])
    search.database(session)
    assert account.id
    assert {found.split(":")[0] for found in search.found} == {"table accounts"}
