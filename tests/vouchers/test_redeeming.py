# SPDX-License-Identifier: EUPL-1.2
"""Codes from outside: one answer whatever is wrong, ten wrong ones an hour, and nobody locked out by others."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails
from abs_platform.errors import InitiativeNotOpen, InvalidInput, TooManyAttempts
from abs_platform.events import Event
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.queries import check
from abs_platform.vouchers.models import CodeAttempt
from abs_platform.vouchers.queries import VoucherStatus
from abs_platform.vouchers.redeeming import Answer, Client, look_up, parse_code, purge_attempts, redeem
from abs_platform.vouchers.service import expire_round, revoke_voucher
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser

DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
NOON = dt.datetime(2026, 10, 1, 10, 0, tzinfo=dt.UTC)  # 12.00 in Amsterdam


def client(number: int = 1) -> Client:
    return Client(number.to_bytes(16), (number + 1_000_000).to_bytes(16))


def unknown_code(factory: Factory) -> str:
    return factory.keys.code(os.urandom(16))


def try_code(factory: Factory, code: str, who: Client, after: dt.timedelta = dt.timedelta(0)) -> Answer[VoucherStatus]:
    return look_up(
        factory.session, parse_code(code), who, keys=factory.keys, rules=factory.rules, now=factory.now + after
    )


def attempts(session: Session) -> list[str]:
    return list(session.scalars(select(CodeAttempt.reason).order_by(CodeAttempt.id)))


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.datetime], None]:
    """Says what time it is for the app."""

    def set_clock(moment: dt.datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return set_clock


def given_code(factory: Factory) -> str:
    (code,) = factory.codes()
    factory.give(code, factory.initiative())
    return code


def expired_code(factory: Factory) -> str:
    (code,) = factory.codes(opens=-40 * DAY, closes=-11 * DAY)
    expire_round(factory.session, factory.voucher(code).round_id, actor=TEST_ACTOR, now=factory.now)
    return code


def over_but_not_yet_expired_code(factory: Factory) -> str:
    return factory.codes(opens=-40 * DAY, closes=dt.timedelta(0))[0]


def revoked_code(factory: Factory) -> str:
    (code,) = factory.codes()
    revoke_voucher(factory.session, factory.voucher(code).id, reason="Zoek.", actor=TEST_ACTOR, now=factory.now)
    return code


def early_code(factory: Factory) -> str:
    return factory.codes(opens=MINUTE, closes=20 * DAY)[0]


def code_of_the_round_before(factory: Factory) -> str:
    code = expired_code(factory)
    factory.fresh_codes(1)
    return code


def code_kept_too_long(factory: Factory) -> str:
    (code,) = factory.codes(opens=-400 * DAY, closes=-370 * DAY)
    keep(factory, code, until=factory.now)
    return code


def keep(factory: Factory, code: str, until: dt.datetime) -> None:
    voucher = factory.voucher(code)
    voucher.state, voucher.kept_at, voucher.usable_until = "kept", factory.now - 380 * DAY, until
    factory.session.flush()


WRONG_CODES = [
    pytest.param(unknown_code, "unknown", id="unknown"),
    pytest.param(given_code, "given", id="given"),
    pytest.param(expired_code, "expired", id="expired"),
    pytest.param(over_but_not_yet_expired_code, "expired", id="over, before the job ran"),
    pytest.param(revoked_code, "revoked", id="revoked"),
    pytest.param(early_code, "not yet open", id="not yet open"),
    pytest.param(code_of_the_round_before, "expired", id="of the round before"),
    pytest.param(code_kept_too_long, "expired", id="kept too long"),
]


@pytest.mark.parametrize(("make", "reason"), WRONG_CODES)
def test_a_wrong_code_is_refused_and_counted_with_its_reason_for_staff(
    session: Session, factory: Factory, make: Callable[[Factory], str], reason: str
) -> None:
    code, initiative = make(factory), factory.initiative()

    seen = try_code(factory, code, client())
    tried = redeem(
        session, parse_code(code), initiative.id, client(), GiftDetails(),
        keys=factory.keys, rules=factory.rules, now=factory.now,
    )  # fmt: skip

    assert seen.found is None
    assert tried.found is None
    assert seen.error is not None
    assert str(seen.error) == str(tried.error)
    assert attempts(session) == [reason, reason]
    gifts = select(func.count()).select_from(Donation).where(Donation.initiative_id == initiative.id)
    assert session.scalar(gifts) == 0
    assert check(session) == []


@pytest.mark.parametrize(("make", "reason"), WRONG_CODES)
def test_a_stranger_reads_the_same_page_whatever_is_wrong(
    session: Session, factory: Factory, browser_client: Browser, make: Callable[[Factory], str], reason: str
) -> None:
    code, initiative = make(factory), factory.initiative()
    stranger = unknown_code(factory)
    session.commit()
    sent = {"initiative_id": str(initiative.id)}

    page = browser_client.post("/voucher", sent | {"code": code}, status=409)
    other = browser_client.post("/voucher", sent | {"code": stranger}, status=409)

    assert page.html.replace(code, "") == other.html.replace(stranger, "")
    assert "Deze code kun je nu niet gebruiken" in page.text
    assert reason not in page.html
    assert set(page.response.headers.keys()) == set(other.response.headers.keys())


def test_a_kept_voucher_can_be_given_after_its_round(session: Session, factory: Factory) -> None:
    (code,) = factory.codes(opens=-60 * DAY, closes=-30 * DAY)
    keep(factory, code, until=factory.now + MINUTE)

    found = try_code(factory, code, client()).or_raise()

    assert found.amount_cents == 750
    assert factory.give(code, factory.initiative()) is not None
    assert attempts(session) == []


def test_typing_errors_are_told_and_never_counted(session: Session, factory: Factory, browser_client: Browser) -> None:
    (code,) = factory.codes()
    initiative = factory.initiative()
    session.commit()
    typo = code[:-1] + ("0" if code[-1] != "0" else "2")

    for _ in range(12):
        page = browser_client.post("/voucher", {"code": typo, "initiative_id": str(initiative.id)}, status=422)
        assert "Deze code klopt niet helemaal" in page.text

    assert attempts(session) == []
    browser_client.post("/voucher", {"code": code, "initiative_id": str(initiative.id)})


def test_a_closed_initiative_is_no_wrong_code(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    stopped = factory.initiative(InitiativeState.STOPPED)

    with pytest.raises(InitiativeNotOpen, match="Je voucher is nog van jou"):
        redeem(
            session, parse_code(code), stopped.id, client(), GiftDetails(),
            keys=factory.keys, rules=factory.rules, now=factory.now,
        )  # fmt: skip

    assert attempts(session) == []
    assert factory.voucher(code).state == "issued"


def test_the_eleventh_wrong_code_is_refused_with_a_time(session: Session, factory: Factory) -> None:
    for minute in range(10):
        assert try_code(factory, unknown_code(factory), client(), minute * MINUTE).error is not None

    with pytest.raises(TooManyAttempts, match=r"Probeer het opnieuw na \d\d\.\d\d uur") as refused:
        try_code(factory, unknown_code(factory), client(), 10 * MINUTE)

    assert refused.value.retry_at == factory.now + HOUR
    assert refused.value.retry_after_seconds == 50 * 60 + 1
    assert len(attempts(session)) == 10


def test_a_right_code_is_refused_too_until_the_hour_is_over(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    for _ in range(10):
        try_code(factory, unknown_code(factory), client())

    with pytest.raises(TooManyAttempts):
        try_code(factory, code, client(), HOUR - MINUTE)

    assert try_code(factory, code, client(), HOUR).found is not None


def test_a_success_resets_nothing(session: Session, factory: Factory) -> None:
    codes, initiative = factory.codes(2), factory.initiative()
    for _ in range(9):
        try_code(factory, unknown_code(factory), client())

    given = redeem(
        session, parse_code(codes[0]), initiative.id, client(), GiftDetails(),
        keys=factory.keys, rules=factory.rules, now=factory.now,
    )  # fmt: skip
    try_code(factory, unknown_code(factory), client())

    assert given.found is not None
    with pytest.raises(TooManyAttempts):
        try_code(factory, codes[1], client())


def use_up_attempts(browser: Browser, factory: Factory, initiative_id: int) -> None:
    for _ in range(10):
        sent = {"code": unknown_code(factory), "initiative_id": str(initiative_id)}
        browser.post("/voucher", sent, status=409)


def test_the_page_says_when_to_try_again_and_so_does_its_header(
    session: Session, factory: Factory, browser_client: Browser, at: Callable[[dt.datetime], None]
) -> None:
    factory.now = NOON
    (code,) = factory.codes()
    initiative = factory.initiative()
    session.commit()
    at(NOON + dt.timedelta(minutes=34, seconds=10))
    use_up_attempts(browser_client, factory, initiative.id)
    at(NOON + 50 * MINUTE)

    page = browser_client.post("/voucher", {"code": code, "initiative_id": str(initiative.id)}, status=429)

    assert "Probeer het opnieuw na 13.35 uur" in page.text
    assert page.response.headers["Retry-After"] == str(44 * 60 + 10 + 1)
    assert code not in page.html
    at(NOON + 95 * MINUTE)
    browser_client.post("/voucher", {"code": code, "initiative_id": str(initiative.id)})


def test_the_count_survives_midnight_and_a_new_browser(
    app: Flask, session: Session, factory: Factory, browser_client: Browser, at: Callable[[dt.datetime], None]
) -> None:
    factory.now = NOON
    (code,) = factory.codes()
    initiative = factory.initiative()
    session.commit()
    midnight = dt.datetime(2026, 10, 1, 22, 0, tzinfo=dt.UTC)  # in Amsterdam
    at(midnight - 10 * MINUTE)
    use_up_attempts(browser_client, factory, initiative.id)
    at(midnight + 10 * MINUTE)
    sent = {"code": code, "initiative_id": str(initiative.id)}

    Browser(app).post("/voucher", sent, status=429)

    Browser(app, address="192.0.2.2").post("/voucher", sent)
    at(midnight + 50 * MINUTE)
    Browser(app).post("/voucher", sent)
    digests = session.scalars(select(CodeAttempt.client_digest).distinct()).all()
    assert len(digests) == 1


def test_the_digest_of_a_client_rotates_daily(
    session: Session, factory: Factory, browser_client: Browser, at: Callable[[dt.datetime], None]
) -> None:
    factory.now = NOON
    initiative = factory.initiative()
    session.commit()

    for day in range(3):
        at(NOON + day * DAY)
        browser_client.post(
            "/voucher", {"code": unknown_code(factory), "initiative_id": str(initiative.id)}, status=409
        )

    assert len(set(session.scalars(select(CodeAttempt.client_digest)))) == 3


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [
        pytest.param("192.0.2.1", "192.0.2.2", 409, id="two addresses"),
        pytest.param("192.0.2.1", "::ffff:192.0.2.1", 429, id="one address in two notations"),
        pytest.param("2001:db8::1", "2001:db8::ffff:1", 429, id="one IPv6 network"),
        pytest.param("2001:db8::1", "2001:db8:0:1::1", 409, id="two IPv6 networks"),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(
    factory: Factory, browser_client: Browser, one: str, other: str, status: int
) -> None:
    initiative = factory.initiative()
    factory.session.commit()
    browser_client.address = one
    use_up_attempts(browser_client, factory, initiative.id)

    browser_client.address = other
    sent = {"code": unknown_code(factory), "initiative_id": str(initiative.id)}

    browser_client.post("/voucher", sent, status=status)


def test_a_hundred_clients_raise_one_alarm_and_lock_nobody_out(session: Session, factory: Factory) -> None:
    codes = factory.codes(2)
    alarms = select(Event).where(Event.kind == "alarm.codes_guessed")

    for number in range(99):
        try_code(factory, unknown_code(factory), client(number))
    assert session.scalars(alarms).all() == []
    for number in range(99, 130):
        try_code(factory, unknown_code(factory), client(number))

    alarm = session.scalars(alarms).one()
    assert alarm.details == {"wrong_codes_an_hour": 100}
    assert try_code(factory, codes[0], client(500)).found is not None
    assert try_code(factory, codes[1], client(3)).found is not None


def test_the_alarm_goes_again_when_the_guessing_goes_on(session: Session, factory: Factory) -> None:
    factory.rules = replace(factory.rules, alarm_wrong_codes_per_hour=3)

    for number in range(4):
        try_code(factory, unknown_code(factory), client(number))
    for number in range(4):
        try_code(factory, unknown_code(factory), client(number), HOUR + MINUTE)

    happened = session.scalars(select(Event.happened_at).where(Event.kind == "alarm.codes_guessed").order_by(Event.id))
    assert happened.all() == [factory.now, factory.now + HOUR + MINUTE]


def test_a_wrong_code_leaves_no_address_and_no_code_behind(
    session: Session, factory: Factory, browser_client: Browser
) -> None:
    code, initiative = unknown_code(factory), factory.initiative()
    session.commit()

    browser_client.post("/voucher", {"code": code, "initiative_id": str(initiative.id)}, status=409)

    (row,) = session.scalars(text("SELECT a::text FROM code_attempts a")).all()
    assert re.fullmatch(r'\(\d+,"\\\\x[0-9a-f]{32}","[^"]+",unknown\)', row)
    for secret in (code, code.replace("-", ""), "192.0.2.1", code.encode().hex(), bytes([192, 0, 2, 1]).hex()):
        assert secret not in row


def test_wrong_codes_are_forgotten_once_nothing_counts_them(session: Session, factory: Factory) -> None:
    for age in (3 * DAY, 2 * DAY + MINUTE, 2 * DAY - MINUTE, HOUR, dt.timedelta(0)):
        try_code(factory, unknown_code(factory), client(), -age)
    session.flush()

    assert purge_attempts(session, factory.now) == 2
    assert purge_attempts(session, factory.now) == 0

    assert len(attempts(session)) == 3


@pytest.mark.parametrize(
    ("typed", "says"),
    [("", "Vul de code van je brief in"), ("  - ", "Vul de code van je brief in"), ("ABCD", "klopt niet helemaal")],
)
def test_what_cannot_be_read_is_told_at_the_code_field(typed: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as refused:
        parse_code(typed)

    assert list(refused.value.fields) == ["code"]
