# SPDX-License-Identifier: EUPL-1.2
"""The file for the bank: valid, repeatable, in the bank's own letters, and refused when anything in it is odd."""

from __future__ import annotations

import datetime as dt
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schwifty import IBAN
from sepaxml.validation import try_valid_xml

from abs_platform.payment_settings import BankAccount
from abs_platform.payouts import sepa, xml_files
from abs_platform.payouts.sepa import SepaRefused, Transfer, clean, make_file, next_banking_day, read_file
from abs_platform.payouts.xml_files import UnreadableXml, read_xml

ACCOUNT = BankAccount(iban="NL02ABNA0123456789", holder="Gemeente Almelo", bic="ABNANL2A")
NOW = dt.datetime(2026, 11, 22, 14, 30, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 23)
GOOD = Transfer(
    end_to_end_id="UB-0123456789ABCDEF",
    iban="NL20INGB0001234567",
    name="Buurtvereniging Het Plein",
    amount_cents=123_45,
    remittance="Initiatief 7: Bomen",
)
ALLOWED = re.compile(r"[a-zA-Z0-9 /?:().,'+-]*")


def with_(**changes: object) -> Transfer:
    values = {name: getattr(GOOD, name) for name in Transfer.__dataclass_fields__}
    return Transfer(**values | changes)  # type: ignore[arg-type]


def file_of(*transfers: Transfer, account: BankAccount = ACCOUNT, message_id: str = "ABS-20261122-0000AAAA") -> bytes:
    return make_file(transfers, account=account, message_id=message_id, created_at=NOW, execution_on=DAY)


def test_the_file_says_what_was_asked_and_follows_the_xsd() -> None:
    content = file_of(GOOD, with_(end_to_end_id="UB-2", amount_cents=1))

    try_valid_xml(content, sepa.SCHEMA)
    order = read_file(content)
    assert (order.count, order.sum_cents, order.execution_on) == (2, 123_46, DAY)
    assert (order.message_id, order.created_at) == ("ABS-20261122-0000AAAA", "2026-11-22T15:30:00")
    assert order.debtor_iban == ACCOUNT.iban
    assert [one.amount_cents for one in order.transfers] == [123_45, 1]
    assert b"<BtchBookg>false</BtchBookg>" in content
    assert b"<BICFI>ABNANL2A</BICFI>" in content


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert hashlib.sha256(file_of(GOOD)).digest() == hashlib.sha256(file_of(GOOD)).digest()
    assert file_of(GOOD) != file_of(with_(amount_cents=123_46))


def test_without_a_bic_the_bank_finds_it_itself() -> None:
    content = file_of(GOOD, account=BankAccount(iban=ACCOUNT.iban, holder=ACCOUNT.holder))

    try_valid_xml(content, sepa.SCHEMA)
    assert b"<Othr><Id>NOTPROVIDED</Id></Othr>" in content


@pytest.mark.parametrize(
    "changes",
    [
        {"iban": "NL20INGB0001234568"},
        {"iban": "NL20 INGB 0001 2345 67"},
        {"iban": "NL20INGB000123456"},
        {"iban": "TR330006100519786457841326"},  # an IBAN, beyond SEPA
        {"iban": ACCOUNT.iban},
        {"iban": ""},
        {"amount_cents": 0},
        {"amount_cents": -1},
        {"amount_cents": 100_000_000_000},
        {"name": "♥♥♥"},
        {"name": "//"},
        {"remittance": ""},
        {"end_to_end_id": "/UB1"},
        {"end_to_end_id": "UB1/"},
        {"end_to_end_id": "UB//1"},
        {"end_to_end_id": "UB_1"},
        {"end_to_end_id": "U" * 36},
        {"end_to_end_id": ""},
        {"end_to_end_id": "UB1\n"},
    ],
)
def test_an_odd_transfer_is_refused_and_named(changes: dict[str, object]) -> None:
    odd = with_(**changes)

    with pytest.raises(SepaRefused) as refusal:
        file_of(odd)

    assert refusal.value.end_to_end_id == odd.end_to_end_id


def test_nothing_or_one_number_twice_or_an_odd_number_of_the_file_is_refused() -> None:
    for transfers, message_id in (((), "A"), ((GOOD, GOOD), "A"), ((GOOD,), "A//B"), ((GOOD,), "A" * 36)):
        with pytest.raises(SepaRefused):
            file_of(*transfers, message_id=message_id)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("Café Müller & Søn", "Cafe Muller + Son"),
        ("Stichting “De Boom”", "Stichting 'De Boom'"),
        ("///a//b///", "a/b"),
        ("a / / b", "a / b"),
        ("Ελλάδα", "Ellada"),
        ("naam_met;tekens", "naam-met,tekens"),
        ("<script>", "script"),
        (" veel   ruimte\n", "veel ruimte"),
    ],
)
def test_names_are_written_in_the_letters_of_the_bank(typed: str, sent: str) -> None:
    assert clean(typed, 70) == sent


@given(st.text(max_size=200), st.integers(1, 140))
def test_whatever_is_typed_becomes_what_a_bank_takes(text: str, most: int) -> None:
    sent = clean(text, most)

    assert ALLOWED.fullmatch(sent)
    assert len(sent) <= most
    assert "//" not in sent
    assert sent == sent.strip(" /")
    assert clean(sent, most) == sent


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=90), st.integers(1, sepa.MOST_CENTS), st.text(max_size=200)),
        min_size=1,
        max_size=5,
    )
)
def test_odd_names_and_amounts_come_out_as_they_went_in(rows: list[tuple[str, int, str]]) -> None:
    transfers = [
        with_(end_to_end_id=f"UB-{place}", name=f"A{name}", amount_cents=cents, remittance=f"1 {text}")
        for place, (name, cents, text) in enumerate(rows)
    ]
    exported = sepa._set_own(sepa._export(transfers, ACCOUNT, DAY), ACCOUNT, "ABS-1", "2026-11-22T15:30:00")

    order = read_file(exported)

    assert order.sum_cents == sum(cents for _name, cents, _text in rows)
    assert [one.end_to_end_id for one in order.transfers] == [one.end_to_end_id for one in transfers]
    assert all(ALLOWED.fullmatch(one.name) for one in order.transfers)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<NbOfTxs>1<", b"<NbOfTxs>2<"),
        (b"<CtrlSum>123.45<", b"<CtrlSum>123.46<"),
        (b'"EUR">123.45<', b'"EUR">923.45<'),
        (b'Ccy="EUR"', b'Ccy="USD"'),
        (b"pain.001.001.09", b"pain.001.001.03"),
        (b"<PmtInfId>ABS", b"<PmtInfId>XBS"),
        (b"</Document>", b""),
        (b"?>", b"?><!DOCTYPE Document [<!ENTITY x 'y'>]>"),
    ],
)
def test_a_file_that_was_touched_is_not_read(before: bytes, after: bytes) -> None:
    content = file_of(GOOD)
    assert before in content

    with pytest.raises(SepaRefused):
        read_file(content.replace(before, after, 1))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (dt.date(2026, 11, 20), dt.date(2026, 11, 23)),  # over a weekend
        (dt.date(2026, 4, 2), dt.date(2026, 4, 7)),  # over Good Friday and Easter Monday
        (dt.date(2026, 4, 30), dt.date(2026, 5, 4)),  # 1 May is no holiday here, and the banks are closed
        (dt.date(2026, 12, 24), dt.date(2026, 12, 28)),
        (dt.date(2026, 12, 31), dt.date(2027, 1, 4)),
        (dt.date(2026, 4, 24), dt.date(2026, 4, 28)),  # the banks pay on King's Day; the town hall is closed
    ],
)
def test_the_bank_pays_on_the_next_day_on_which_banks_and_town_hall_work(day: dt.date, expected: dt.date) -> None:
    assert next_banking_day(day) == expected


@given(st.dates(dt.date(2020, 1, 1), dt.date(2040, 12, 1)))
def test_a_banking_day_comes_soon_and_is_never_a_weekend_or_a_closing_day(day: dt.date) -> None:
    found = next_banking_day(day)

    assert dt.timedelta(1) <= found - day <= dt.timedelta(6)
    assert found.weekday() < 5
    assert (found.month, found.day) not in {(1, 1), (5, 1), (12, 25), (12, 26)}


@given(st.integers(0, 10**15))
def test_only_numbers_that_are_right_pass_the_check_of_accounts(number: int) -> None:
    digits = f"{number:010d}"[:10]
    iban = str(IBAN.generate("NL", bank_code="INGB", account_code=digits))
    wrong = iban[:2] + f"{(int(iban[2:4]) + 1) % 97:02d}" + iban[4:]

    assert sepa.is_iban(iban)
    assert not sepa.is_iban(wrong)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a>",
        b"<a></b>",
        b"\xff\xfe\x00",
        b"<?xml version='1.0' encoding='klingon'?><a/>",
        b"<!DOCTYPE a><a/>",
        b"<!DOCTYPE a [<!ENTITY l 'lol'><!ENTITY m '&l;&l;&l;'>]><a>&m;</a>",
        b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        b"<a>&unknown;</a>",
        b"<a>" * 200 + b"</a>" * 200,
        b"<a>" + b"<b/>" * 1_000 + b"</a>",
        b"<a>" + b" " * 10_000_000 + b"</a>",
    ],
)
def test_xml_that_can_do_harm_is_not_read(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_files, "_MOST_ELEMENTS", 1_000)
    with pytest.raises(UnreadableXml):
        read_xml(content)
