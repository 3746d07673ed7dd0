# SPDX-License-Identifier: EUPL-1.2
"""The bank of the demo and the tests: a statement (camt.053) in which it paid what we asked, or sent it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.clock import local_date
from abs_platform.payouts.models import Payout, PayoutBatch
from abs_platform.payouts.states import BatchState, PayoutState

OPENING_CENTS = 250_000_00


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLine:
    """One payment as the bank saw it. Without ``reference`` the bank gives none; ``reason`` makes it a return."""

    end_to_end_id: str
    amount_cents: int
    booked_on: dt.date
    is_credit: bool = False
    reference: str = ""
    reason: str = ""
    status: str = "BOOK"
    currency: str = "EUR"


def statement_file(
    entries: Sequence[Sequence[BankLine]],
    *,
    iban: str,
    number: str,
    created_at: dt.datetime,
    version: str = "08",
    currency: str = "EUR",
) -> bytes:
    """A statement of one account. Lines of one entry were booked in one sum."""
    root = Element("Document", xmlns=f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}")
    body = SubElement(root, "BkToCstmrStmt")
    moment = created_at.strftime("%Y-%m-%dT%H:%M:%S")
    _put(body, "GrpHdr/MsgId", number)
    _put(body, "GrpHdr/CreDtTm", moment)
    statement = SubElement(body, "Stmt")
    _put(statement, "Id", number)
    _put(statement, "CreDtTm", moment)
    _put(statement, "Acct/Id/IBAN", iban)
    _put(statement, "Acct/Ccy", currency)
    booked = [entry for entry in entries if entry[0].status == "BOOK"]
    closing = OPENING_CENTS + sum(_signed(line) for entry in booked for line in entry)
    for kind, cents in (("OPBD", OPENING_CENTS), ("CLBD", closing)):
        balance = SubElement(statement, "Bal")
        _put(balance, "Tp/CdOrPrtry/Cd", kind)
        _put_amount(balance, cents, currency)
        _put(balance, "Dt/Dt", local_date(created_at).isoformat())
    for entry in entries:
        _put_entry(statement, entry, version)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + bytes(tostring(root, "utf-8"))


def at_the_bank(session: Session) -> list[BankLine]:
    """What the bank pays now: the payouts of every file that was released, on the day that the file asks for."""
    query = (
        select(Payout.end_to_end_id, Payout.amount_cents, PayoutBatch.execution_on)
        .join(PayoutBatch, PayoutBatch.id == Payout.batch_id)
        .where(PayoutBatch.state == BatchState.RELEASED.value, Payout.state == PayoutState.EXPORTED.value)
        .order_by(Payout.id)
    )
    return [
        BankLine(end_to_end_id=number, amount_cents=cents, booked_on=day, reference=f"DEMO{number[3:]}")
        for number, cents, day in session.execute(query)
    ]


def sent_back(session: Session, now: dt.datetime) -> list[BankLine]:
    """The last payout that was paid comes back: that account does not exist any more."""
    query = select(Payout.end_to_end_id, Payout.amount_cents).where(Payout.state == PayoutState.PAID.value)
    return [
        BankLine(
            end_to_end_id=number,
            amount_cents=cents,
            booked_on=local_date(now),
            is_credit=True,
            reference=f"TERUG{number[3:]}",
            reason="AC04",
        )
        for number, cents in session.execute(query.order_by(Payout.state_changed_at.desc(), Payout.id.desc()).limit(1))
    ]


def daily_business(day: dt.date) -> list[BankLine]:
    """What else happens on the account of a municipality."""
    return [
        BankLine(end_to_end_id="NOTPROVIDED", amount_cents=1_250_00, booked_on=day, reference=f"DEMOHUUR{day:%Y%m%d}"),
        BankLine(
            end_to_end_id="FACT-2026-113",
            amount_cents=86_40,
            booked_on=day,
            is_credit=True,
            reference=f"DEMOFACT{day:%Y%m%d}",
        ),
    ]


def _signed(line: BankLine) -> int:
    return line.amount_cents if line.is_credit else -line.amount_cents


def _put_entry(statement: Element, lines: Sequence[BankLine], version: str) -> None:
    entry, first = SubElement(statement, "Ntry"), lines[0]
    _put_amount(entry, sum(_signed(line) for line in lines), first.currency)
    _put(entry, "Sts/Cd" if version >= "04" else "Sts", first.status)
    _put(entry, "BookgDt/Dt", first.booked_on.isoformat())
    _put(entry, "ValDt/Dt", first.booked_on.isoformat())
    if first.reference:
        _put(entry, "AcctSvcrRef", first.reference)
    details = SubElement(entry, "NtryDtls")
    for line in lines:
        detail = SubElement(details, "TxDtls")
        _put(detail, "Refs/EndToEndId", line.end_to_end_id)
        if version >= "04":
            _put_amount(detail, _signed(line), line.currency)
        else:
            _put(detail, "AmtDtls/TxAmt/Amt", _decimal(line.amount_cents)).set("Ccy", line.currency)
        if line.reason:
            _put(detail, "RtrInf/Rsn/Cd", line.reason)


def _put_amount(parent: Element, cents: int, currency: str) -> None:
    _put(parent, "Amt", _decimal(abs(cents))).set("Ccy", currency)
    _put(parent, "CdtDbtInd", "DBIT" if cents < 0 else "CRDT")


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _put(parent: Element, path: str, text: str) -> Element:
    """A text at the end of a path; what is there of the path already is used."""
    for name in path.split("/"):
        found = parent.find(name)
        parent = SubElement(parent, name) if found is None else found
    parent.text = text
    return parent
