# SPDX-License-Identifier: EUPL-1.2
"""A bank statement (camt.053) as plain lines: of our own account, in euros, and adding up, or it is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from flask_babel import gettext as _

from abs_platform.errors import InvalidInput
from abs_platform.payouts.sepa import CURRENCY, cents_of
from abs_platform.payouts.xml_files import MOST_BYTES, UnreadableXml, read_xml, text_of

_CAMT_053 = re.compile(r"\S*camt\.053\.001\.(?:0[2-9]|1\d)")
_AMOUNTS = ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt")  # .08 has the first, .02 the others
_OPENING, _CLOSING = {"OPBD", "PRCD"}, {"CLBD"}
_DIRECTIONS = {"CRDT": 1, "DBIT": -1}
_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A payment on a statement, or a whole file of ours that the bank booked at once (``batch_id``).

    ``bank_reference`` is the same in every statement that shows the line. ``reason`` is the bank's code for a return.
    ``is_clear`` is false when its amount cannot be told from the entry it is part of.
    """

    bank_reference: str
    end_to_end_id: str
    amount_cents: int
    is_credit: bool
    booked_on: dt.date
    batch_id: str = ""
    batch_count: int | None = None
    is_reversal: bool = False
    is_clear: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a file holds: the numbers of its statements, and every line that was booked."""

    ids: tuple[str, ...]
    lines: tuple[Line, ...]


def read_statement(content: bytes, iban: str) -> Statement:
    """Read a file of one or more statements of this account.

    Only what is booked counts; a payment that is expected does not. Raises: InvalidInput with what is wrong.
    """
    if not content:
        raise _refused(_("Kies een bestand. Dit bestand is leeg."))
    if len(content) > MOST_BYTES:
        raise _refused(_("Dit bestand is te groot. Het mag hoogstens 10 MB zijn."))
    if content.startswith(b"PK"):
        raise _refused(_("Dit is een zip-bestand. Pak het eerst uit en stuur het XML-bestand."))
    try:
        document = read_xml(content)
    except UnreadableXml as error:
        raise _refused(
            _("Dit bestand kunnen we niet lezen. Download het opnieuw bij de bank, als camt.053.")
        ) from error
    if not _CAMT_053.fullmatch(document.namespace):
        raise _refused(_("Dit is geen rekeningafschrift (camt.053). Kies bij de bank voor camt.053."))
    statements = document.root.findall("BkToCstmrStmt/Stmt")
    if not statements:
        raise _refused(_("In dit bestand staat geen afschrift."))
    for statement in statements:
        _refuse_other_account(statement, iban)
        _refuse_wrong_sum(statement)
    return Statement(
        ids=tuple(text_of(statement, "Id")[:_LONGEST] for statement in statements),
        lines=tuple(_numbered(line for statement in statements for line in _lines_of(statement))),
    )


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"statement": sentence})


def _refuse_other_account(statement: Element, iban: str) -> None:
    if text_of(statement, "Acct/Id/IBAN").replace(" ", "").upper() != iban:
        raise _refused(_("Dit afschrift is van een andere rekening dan die van de gemeente voor uitbetalingen."))
    amounts = [*statement.findall("Bal/Amt"), *statement.findall("Ntry/Amt")]
    if text_of(statement, "Acct/Ccy") not in {"", CURRENCY} or any(one.get("Ccy") != CURRENCY for one in amounts):
        raise _refused(_("Dit afschrift is niet in euro's."))


def _refuse_wrong_sum(statement: Element) -> None:
    """What was there and what was booked is what is there now; a statement in pages tells only its own part."""
    balances = {text_of(one, "Tp/CdOrPrtry/Cd"): _signed(one) for one in statement.findall("Bal")}
    opening = next((cents for kind, cents in balances.items() if kind in _OPENING), None)
    closing = next((cents for kind, cents in balances.items() if kind in _CLOSING), None)
    booked = sum(_signed(entry) for entry in _booked(statement))
    if opening is not None and closing is not None and opening + booked != closing:
        raise _refused(_("Dit afschrift telt niet op. Download het opnieuw bij de bank."))


def _booked(statement: Element) -> Iterator[Element]:
    """The entries that are booked; the bank may also show what it expects."""
    for entry in statement.findall("Ntry"):
        if (text_of(entry, "Sts/Cd") or text_of(entry, "Sts")) == "BOOK":
            yield entry


def _signed(element: Element) -> int:
    """What an entry or a balance adds, in cents."""
    cents, direction = cents_of(text_of(element, "Amt")), _DIRECTIONS.get(text_of(element, "CdtDbtInd"))
    if cents is None or direction is None:
        raise _refused(_("Op dit afschrift staat een bedrag dat we niet kunnen lezen."))
    return cents * direction


def _lines_of(statement: Element) -> Iterator[Line]:
    for entry in _booked(statement):
        details = entry.findall("NtryDtls/TxDtls")
        amounts = _amounts(entry, details)
        is_clear = None not in amounts and sum(cents for cents in amounts if cents is not None) == _signed(entry)
        for detail, cents in zip(details, amounts, strict=True):
            yield _line(entry, detail, _signed(entry) if cents is None else cents, is_clear=is_clear)
        if not details:
            yield _line(entry, None, _signed(entry), is_clear=True)


def _amounts(entry: Element, details: list[Element]) -> list[int | None]:
    """What each payment of an entry adds, in cents; None when the bank does not say. One alone is the whole entry."""
    if len(details) == 1:
        return [_signed(entry)]
    own = _DIRECTIONS[text_of(entry, "CdtDbtInd")]
    found: list[int | None] = []
    for detail in details:
        amount = next((one for path in _AMOUNTS if (one := detail.find(path)) is not None), None)
        cents = cents_of((amount.text or "").strip()) if amount is not None and amount.get("Ccy") == CURRENCY else None
        direction = _DIRECTIONS.get(text_of(detail, "CdtDbtInd"), own)
        found.append(None if cents is None else cents * direction)
    return found


def _line(entry: Element, detail: Element | None, cents: int, *, is_clear: bool) -> Line:
    reference = text_of(detail, "Refs/AcctSvcrRef") or text_of(entry, "AcctSvcrRef")
    count = text_of(entry, "NtryDtls/Btch/NbOfTxs")
    return Line(
        bank_reference=reference[:_LONGEST],
        end_to_end_id=text_of(detail, "Refs/EndToEndId")[:_LONGEST],
        amount_cents=abs(cents),
        is_credit=cents > 0,
        booked_on=_day_of(entry),
        batch_id=""
        if detail is not None
        else text_of(entry, "NtryDtls/Btch/PmtInfId") or text_of(entry, "NtryDtls/Btch/MsgId"),
        batch_count=int(count) if count.isdecimal() and len(count) < 6 else None,
        is_reversal=text_of(entry, "RvslInd") in {"true", "1"},
        is_clear=is_clear,
        reason=text_of(detail, "RtrInf/Rsn/Cd")[:_LONGEST],
    )


def _day_of(entry: Element) -> dt.date:
    paths = ("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")
    written = next((text for path in paths if (text := text_of(entry, path))), "")
    try:
        return dt.date.fromisoformat(written[:10])
    except ValueError as error:
        raise _refused(_("Op dit afschrift staat een datum die we niet kunnen lezen.")) from error


def _numbered(lines: Iterator[Line]) -> Iterator[Line]:
    """Where a bank gives no reference of its own, day, amount and place among the same ones stand in for it."""
    seen: Counter[tuple[object, ...]] = Counter()
    for line in lines:
        if line.bank_reference:
            yield line
            continue
        same = (line.end_to_end_id, line.is_credit, line.booked_on, line.amount_cents)
        seen[same] += 1
        yield replace(line, bank_reference=f"{line.booked_on.isoformat()}/{line.amount_cents}/{seen[same]}")
