# SPDX-License-Identifier: EUPL-1.2
"""Bank statements: what agrees is booked once, what does not is a task and nothing else, and odd files are refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from abs_platform.clock import local_date
from abs_platform.database import transaction
from abs_platform.demo.bank_statement import BankLine, at_the_bank, daily_business, sent_back, statement_file
from abs_platform.errors import AbsError, Conflict, InvalidInput
from abs_platform.finance.models import FinanceTask
from abs_platform.ledger.queries import check
from abs_platform.payouts import approving, batch_queries, statements, xml_files
from abs_platform.payouts.batch_queries import StatementView
from abs_platform.payouts.models import BankStatement, Payout, StatementLine
from abs_platform.payouts.queries import balance_of
from abs_platform.payouts.states import BatchState, LineOutcome, PayoutState
from abs_platform.users import User
from tests.concurrency.racing import at_once, committed
from tests.factories import Factory
from tests.payouts.bank_desk import OUR_ACCOUNT, Desk

DAY = dt.date(2026, 11, 23)
BOOKED = dt.datetime(2026, 11, 23, 18, 0, tzinfo=dt.UTC)


@pytest.fixture
def desk(factory: Factory) -> Desk:
    return Desk(factory)


@pytest.fixture
def own_desk(own_factory: Factory) -> Desk:
    return Desk(own_factory)


def out(payout: Payout, **changes: object) -> BankLine:
    """The bank paid it."""
    values: dict[str, object] = {
        "end_to_end_id": payout.end_to_end_id,
        "amount_cents": payout.amount_cents,
        "booked_on": DAY,
        "reference": f"REF{payout.id}",
    }
    return BankLine(**values | changes)  # type: ignore[arg-type]


def back(payout: Payout, **changes: object) -> BankLine:
    """It came back."""
    return out(payout, **{"is_credit": True, "reference": f"RET{payout.id}", "reason": "AC04"} | changes)


def file_of(
    *lines: BankLine, number: str = "A1", version: str = "08", iban: str = OUR_ACCOUNT.iban, currency: str = "EUR"
) -> bytes:
    return statement_file(
        [[line] for line in lines], iban=iban, number=number, created_at=BOOKED, version=version, currency=currency
    )


def take_in(desk: Desk, content: bytes) -> StatementView:
    number = statements.take_in(desk.session, content, account=OUR_ACCOUNT, user=desk.user("Mia"), now=desk.now)
    desk.session.expire_all()
    found = batch_queries.find_statement(desk.session, number)
    assert found is not None
    return found


def counts(view: StatementView) -> tuple[int, int, int, int]:
    """Agrees, differs, known and not ours."""
    return view.matched_count, view.differing_count, view.known_count, view.others


def tasks(session: Session) -> list[FinanceTask]:
    query = select(FinanceTask).where(FinanceTask.kind == "statement").order_by(FinanceTask.id)
    return list(session.scalars(query))


def booked(session: Session, payout: Payout) -> list[str]:
    query = text("SELECT kind FROM ledger_transactions WHERE payout_id = :id ORDER BY id")
    return list(session.scalars(query, {"id": payout.id}))


@pytest.mark.parametrize("version", ["02", "08", "13"])
def test_what_the_bank_paid_is_paid_and_booked_and_the_file_is_settled(desk: Desk, version: str) -> None:
    first, second = desk.at_the_bank(2)

    view = take_in(desk, file_of(out(first), *daily_business(DAY), out(second), version=version))

    assert counts(view) == (2, 0, 0, 2)
    assert {(one.state, one.paid_on) for one in (first, second)} == {(PayoutState.PAID, DAY)}
    assert booked(desk.session, first) == ["payout_paid"]
    assert balance_of(desk.session, first.initiative_id) == 0
    assert first.batch_id is not None
    assert desk.batch(first.batch_id).state == BatchState.SETTLED
    assert tasks(desk.session) == []
    assert check(desk.session) == []


def test_lines_booked_in_one_sum_are_matched_by_their_details(desk: Desk) -> None:
    payouts = desk.at_the_bank(2)
    for version in ("02", "08"):
        content = statement_file(
            [[out(one, reference="SUM") for one in payouts]],
            iban=OUR_ACCOUNT.iban,
            number=f"B{version}",
            created_at=BOOKED,
            version=version,
        )
        view = take_in(desk, content)
        assert counts(view) == ((2, 0, 0, 0) if version == "02" else (0, 0, 2, 0))

    assert {one.state for one in payouts} == {PayoutState.PAID}


def test_a_sum_that_is_not_that_of_its_details_books_nothing(desk: Desk) -> None:
    payouts = desk.at_the_bank(2)
    content = statement_file(
        [[out(one, reference="SUM") for one in payouts]], iban=OUR_ACCOUNT.iban, number="B", created_at=BOOKED
    )
    detail = content.index(b"<TxDtls>")
    wrong = content[:detail] + content[detail:].replace(b">52.50<", b">52.51<", 1)

    view = take_in(desk, wrong)

    assert counts(view) == (0, 2, 0, 0)
    assert {one.state for one in payouts} == {PayoutState.EXPORTED}


def test_a_whole_file_that_the_bank_booked_in_one_line_pays_all_of_it(desk: Desk) -> None:
    payouts = desk.at_the_bank(2)
    assert payouts[0].batch_id
    batch = desk.batch(payouts[0].batch_id)
    content = file_of(out(payouts[0], end_to_end_id="X", amount_cents=batch.sum_cents))
    details = content[content.index(b"<TxDtls>") : content.index(b"</NtryDtls>")]
    whole = content.replace(
        details, f"<Btch><PmtInfId>{batch.message_id}</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>".encode()
    )

    assert counts(take_in(desk, whole.replace(b"<NbOfTxs>2<", b"<NbOfTxs>3<"))) == (0, 1, 0, 0)
    assert counts(take_in(desk, whole)) == (2, 0, 0, 0)
    assert {one.state for one in payouts} == {PayoutState.PAID}


def test_the_same_file_counts_once_and_so_does_a_line_that_comes_again(desk: Desk) -> None:
    first, second = desk.at_the_bank(2)
    content = file_of(out(first))
    take_in(desk, content)

    with pytest.raises(Conflict, match="al verwerkt"):
        take_in(desk, content)
    view = take_in(desk, file_of(out(first), out(second), number="A2"))

    assert counts(view) == (1, 0, 1, 0)
    assert booked(desk.session, first) == ["payout_paid"]
    assert tasks(desk.session) == []


def test_a_line_without_a_reference_of_the_bank_also_counts_once(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    once = out(payout, reference="")

    take_in(desk, file_of(once))

    assert counts(take_in(desk, file_of(once, number="A2"))) == (0, 0, 1, 0)
    # The same sum twice on one statement is money that went out twice.
    assert counts(take_in(desk, file_of(once, once, number="A3"))) == (0, 1, 1, 0)


def test_a_return_after_it_was_paid_is_booked_back_with_a_task_for_finance(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    take_in(desk, file_of(out(payout)))

    view = take_in(desk, file_of(back(payout), number="A2"))

    assert counts(view) == (1, 0, 0, 0)
    assert payout.state == PayoutState.BOUNCED
    assert "AC04" in payout.remark
    assert booked(desk.session, payout) == ["payout_paid", "payout_bounced"]
    assert balance_of(desk.session, payout.initiative_id) == payout.amount_cents
    assert desk.session.scalar(select(FinanceTask.kind)) == "payout_bounced"
    assert check(desk.session) == []


@pytest.mark.parametrize("in_one_file", [True, False])
def test_a_return_that_comes_with_or_before_its_payment_ends_the_same(desk: Desk, *, in_one_file: bool) -> None:
    (payout,) = desk.at_the_bank()

    if in_one_file:
        assert counts(take_in(desk, file_of(back(payout), out(payout)))) == (2, 0, 0, 0)
    else:
        take_in(desk, file_of(back(payout)))
        assert payout.state == PayoutState.BOUNCED
        assert counts(take_in(desk, file_of(out(payout), number="A2"))) == (1, 0, 0, 0)

    assert payout.state == PayoutState.BOUNCED
    assert balance_of(desk.session, payout.initiative_id) == payout.amount_cents
    assert tasks(desk.session) == []
    assert check(desk.session) == []


def test_what_was_booked_by_hand_agrees_with_the_statement_that_comes_later(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    seen = {"reason": "Gezien bij de bank.", "user": desk.user("Roos"), "now": desk.now}
    approving.pay_by_hand(desk.session, payout.id, paid_on=local_date(desk.now), **seen)

    assert counts(take_in(desk, file_of(out(payout)))) == (1, 0, 0, 0)
    assert payout.statement_line_id is not None
    approving.bounce_by_hand(desk.session, payout.id, **seen)
    assert counts(take_in(desk, file_of(back(payout), number="A2"))) == (1, 0, 0, 0)

    assert booked(desk.session, payout) == ["payout_paid", "payout_bounced"]
    assert tasks(desk.session) == []


def test_another_amount_is_a_task_with_both_sides_and_nothing_is_booked(desk: Desk) -> None:
    less, more = desk.at_the_bank(2)

    view = take_in(desk, file_of(out(less, amount_cents=5_249), out(more, amount_cents=5_251)))

    assert counts(view) == (0, 2, 0, 0)
    assert {one.state for one in (less, more)} == {PayoutState.EXPORTED}
    opened = tasks(desk.session)
    assert [one.payout_id for one in opened] == [less.id, more.id]
    assert "52,50" in opened[0].ours
    assert "52,49" in opened[0].theirs
    assert booked(desk.session, less) == []
    # It comes in another statement: still one task.
    take_in(desk, file_of(out(less, amount_cents=5_249), number="A2"))
    assert len(tasks(desk.session)) == 2


def test_part_of_it_that_comes_back_is_a_task(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    take_in(desk, file_of(out(payout)))

    assert counts(take_in(desk, file_of(back(payout, amount_cents=1_000), number="A2"))) == (0, 1, 0, 0)

    assert payout.state == PayoutState.PAID
    assert "Bijgeschreven" in tasks(desk.session)[0].theirs


def test_a_second_payment_or_a_second_return_is_a_task(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    take_in(desk, file_of(out(payout)))

    assert counts(take_in(desk, file_of(out(payout, reference="AGAIN"), number="A2"))) == (0, 1, 0, 0)
    assert counts(take_in(desk, file_of(back(payout), number="A3"))) == (1, 0, 0, 0)
    assert counts(take_in(desk, file_of(back(payout, reference="AGAIN"), number="A4"))) == (0, 1, 0, 0)

    assert booked(desk.session, payout) == ["payout_paid", "payout_bounced"]


def test_a_payment_of_what_was_never_released_is_a_task(desk: Desk) -> None:
    approved, made = desk.approved(), desk.approved()
    desk.made(made)

    view = take_in(desk, file_of(out(approved), out(made), back(made)))

    assert counts(view) == (0, 3, 0, 0)
    assert (approved.state, made.state) == (PayoutState.APPROVED, PayoutState.EXPORTED)


def test_a_number_like_ours_that_we_do_not_know_is_a_task_and_others_are_not_kept(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    strange = out(payout, end_to_end_id="UB-00000000DEADBEEF")
    others = [out(payout, end_to_end_id=number) for number in ("", "NOTPROVIDED", "UB-123", "ub-00000000deadbeef")]

    view = take_in(desk, file_of(strange, *others))

    assert counts(view) == (0, 1, 0, 4)
    assert desk.session.scalar(select(func.count()).select_from(StatementLine)) == 1
    assert tasks(desk.session)[0].payout_id is None


def test_what_is_only_expected_does_not_count(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()

    view = take_in(desk, file_of(out(payout, status="PDNG"), out(payout, status="INFO")))

    assert counts(view) == (0, 0, 0, 0)
    assert payout.state == PayoutState.EXPORTED


def refused(desk: Desk, content: bytes, match: str) -> None:
    before = desk.session.scalar(select(func.count()).select_from(BankStatement))
    with pytest.raises(InvalidInput, match=match) as refusal:
        take_in(desk, content)
    assert set(refusal.value.fields) == {"statement"}
    assert desk.session.scalar(select(func.count()).select_from(BankStatement)) == before


BOMB = b"<!DOCTYPE Document [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        (b"?>\n", b"?>\n" + BOMB, "niet lezen"),
        (b"?>\n", b"?>\n<!DOCTYPE Document SYSTEM 'http://example.com/x.dtd'>", "niet lezen"),
        (b"</Document>", b"", "niet lezen"),
        (b"<Ntry>", b"<Ntry>&b;", "niet lezen"),
        (b"<Ntry>", b"<Ntry>" * 70, "niet lezen"),
        (b"camt.053.001.08", b"camt.052.001.08", "geen rekeningafschrift"),
        (b"camt.053.001.08", b"camt.053.001.01", "geen rekeningafschrift"),
        (b"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08", b"", "geen rekeningafschrift"),
        (b"NL02ABNA0123456789", b"NL91ABNA0417164300", "andere rekening"),
        (b"<IBAN>NL02ABNA0123456789</IBAN>", b"", "andere rekening"),
        (b"<Ccy>EUR</Ccy>", b"<Ccy>USD</Ccy>", "niet in euro"),
        (b'<Ntry><Amt Ccy="EUR">', b'<Ntry><Amt Ccy="USD">', "niet in euro"),
        (b'<Ntry><Amt Ccy="EUR">52.50', b'<Ntry><Amt Ccy="EUR">53.50', "telt niet op"),
        (b'<Ntry><Amt Ccy="EUR">52.50', b'<Ntry><Amt Ccy="EUR">-52.50', "bedrag"),
        (b'<Ntry><Amt Ccy="EUR">52.50', b'<Ntry><Amt Ccy="EUR">52.505', "bedrag"),
        (b'<Ntry><Amt Ccy="EUR">52.50', b'<Ntry><Amt Ccy="EUR">1e3', "bedrag"),
        (b"<CdtDbtInd>DBIT", b"<CdtDbtInd>MAYBE", "bedrag"),
        (b"<BookgDt><Dt>2026-11-23", b"<BookgDt><Dt>2026-13-23", "datum"),
    ],
)
def test_a_file_that_is_not_right_is_refused_with_the_reason(
    desk: Desk, before: bytes, after: bytes, match: str
) -> None:
    content = file_of(_line())
    assert before in content

    refused(desk, content.replace(before, after, 1), match)


def _line() -> BankLine:
    return BankLine(end_to_end_id="UB-0123456789ABCDEF", amount_cents=5_250, booked_on=DAY, reference="R1")


@pytest.mark.parametrize(
    ("content", "match"),
    [(b"", "leeg"), (b"PK\x03\x04", "zip"), (b"%PDF-1.7", "niet lezen"), (b"\x00" * 40, "niet lezen")],
)
def test_what_is_no_statement_is_refused(desk: Desk, content: bytes, match: str) -> None:
    refused(desk, content, match)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(desk: Desk) -> None:
    refused(desk, b"<" * (xml_files.MOST_BYTES + 1), "te groot")


def test_a_file_without_a_statement_and_one_of_which_a_second_is_of_another_account_are_refused(desk: Desk) -> None:
    content = file_of(_line())
    one = content[content.index(b"<Stmt>") : content.index(b"</BkToCstmrStmt>")]

    refused(desk, content.replace(one, b""), "geen afschrift")
    refused(desk, content.replace(one, one + one.replace(b"NL02ABNA0123456789", b"NL91ABNA0417164300")), "andere")


def test_other_prefixes_of_the_same_namespace_are_read_and_other_namespaces_inside_are_not_ours(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    content = file_of(out(payout)).decode()
    prefixed = content.replace("</", "</n:").replace("xmlns=", "xmlns:n=")
    for name in sorted({part.split(">")[0].split(" ")[0] for part in content.split("<")[2:] if part[0] != "/"}):
        prefixed = prefixed.replace(f"<{name}>", f"<n:{name}>").replace(f"<{name} ", f"<n:{name} ")
    inside = prefixed.replace("<n:Ntry>", '<o:Ntry xmlns:o="urn:other"><o:Amt>1</o:Amt></o:Ntry><n:Ntry>')

    assert counts(take_in(desk, inside.encode())) == (1, 0, 0, 0)


def test_a_statement_without_our_account_in_the_settings_is_refused(desk: Desk) -> None:
    with pytest.raises(Conflict, match="niet ingesteld"):
        statements.take_in(desk.session, file_of(_line()), account=None, user=desk.user("Mia"), now=desk.now)


def test_two_statements_with_the_same_lines_at_once_book_them_once(own_app: Flask, own_desk: Desk) -> None:
    payouts, mia = own_desk.at_the_bank(2), own_desk.user("Mia")
    own_desk.session.commit()
    same = file_of(*map(out, payouts))
    files: Sequence[bytes] = (same, same, file_of(*map(out, reversed(payouts)), number="A2"))

    outcomes = at_once([committed(own_app, _taking_in(content, mia, own_desk.now)) for content in files])

    assert sorted(isinstance(one, AbsError) for one in outcomes) == [False, False, True]
    session = own_desk.session
    session.expire_all()
    assert [one.state for one in payouts] == [PayoutState.PAID] * 2
    assert [booked(session, one) for one in payouts] == [["payout_paid"]] * 2
    assert session.scalar(select(func.count()).select_from(StatementLine)) == 2
    assert tasks(session) == []
    assert check(session) == []


def _taking_in(content: bytes, user: User, now: dt.datetime):  # type: ignore[no-untyped-def]
    return lambda session: statements.take_in(session, content, account=OUR_ACCOUNT, user=user, now=now)


def test_a_crash_while_a_statement_is_applied_leaves_nothing_of_it(own_app: Flask, own_desk: Desk) -> None:
    (payout,) = own_desk.at_the_bank()
    mia = own_desk.user("Mia")
    own_desk.session.commit()

    def crash() -> None:
        with own_app.app_context(), transaction() as session:
            statements.take_in(session, file_of(out(payout)), account=OUR_ACCOUNT, user=mia, now=own_desk.now)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()

    own_desk.session.expire_all()
    assert payout.state == PayoutState.EXPORTED
    assert counts(take_in(own_desk, file_of(out(payout)))) == (1, 0, 0, 0)


def test_lines_are_never_changed(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    take_in(desk, file_of(out(payout)))

    for sql in ("UPDATE statement_lines SET outcome = 'differs'", "DELETE FROM statement_lines"):
        with pytest.raises(IntegrityError, match="append only"), desk.session.begin_nested():
            desk.session.execute(text(sql))


def test_the_bank_of_the_demo_pays_what_is_with_it_and_can_send_it_back(desk: Desk) -> None:
    payouts = desk.at_the_bank(2)
    desk.made(desk.approved())

    lines = at_the_bank(desk.session)
    assert [line.end_to_end_id for line in lines] == [one.end_to_end_id for one in payouts]
    assert counts(take_in(desk, file_of(*lines))) == (2, 0, 0, 0)
    assert at_the_bank(desk.session) == []
    assert counts(take_in(desk, file_of(*sent_back(desk.session, desk.now), number="A2"))) == (1, 0, 0, 0)

    assert sorted(one.state for one in payouts) == [PayoutState.BOUNCED, PayoutState.PAID]
    outcomes = desk.session.scalars(select(StatementLine.outcome).order_by(StatementLine.id)).all()
    assert outcomes == [LineOutcome.PAID, LineOutcome.PAID, LineOutcome.BOUNCED]
