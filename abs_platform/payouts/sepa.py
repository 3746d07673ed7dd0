# SPDX-License-Identifier: EUPL-1.2
"""The file for the bank: pain.001.001.09, the same bytes for the same payouts, and read again before anyone has it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from xml.etree import ElementTree

from holidays import financial_holidays
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from sepaxml import SepaTransfer
from text_unidecode import unidecode
from xmlschema import XMLSchema

from abs_platform.clock import AMSTERDAM
from abs_platform.payment_settings import BankAccount
from abs_platform.payouts.xml_files import UnreadableXml, read_xml, text_of
from abs_platform.working_days import add_working_days

SCHEMA = "pain.001.001.09"
CURRENCY = "EUR"
LONGEST_NAME, LONGEST_REMITTANCE, LONGEST_REFERENCE = 70, 140, 35
MOST_CENTS = 99_999_999_999  # what one SEPA transfer may be
_NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
_ALLOWED = "a-zA-Z0-9 /?:().,'+-"
_REFERENCE = re.compile(rf"[{_ALLOWED}]{{1,{LONGEST_REFERENCE}}}")
_AMOUNT = re.compile(r"(\d{1,11})(?:\.(\d{1,2})0{0,3})?")
# What stands closest among the signs that every bank takes; the rest becomes a space.
_SIGNS = str.maketrans({
    "&": "+", "_": "-", "~": "-", ";": ",", '"': "'", "`": "'", "[": "(", "{": "(", "]": ")", "}": ")", "\\": "/",
    "|": "/", "!": ".", "*": ".",
})  # fmt: skip


class SepaRefused(ValueError):
    """This cannot go to a bank. ``end_to_end_id`` names the transfer, when it is one of them."""

    def __init__(self, reason: str, end_to_end_id: str = "") -> None:
        super().__init__(reason)
        self.end_to_end_id = end_to_end_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Money to one account. ``name`` is the holder as typed; the bank compares it with what it knows."""

    end_to_end_id: str
    iban: str
    name: str
    amount_cents: int
    remittance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a file says: the transfers as the bank reads them, and its own counts."""

    message_id: str
    created_at: str
    execution_on: dt.date
    debtor_iban: str
    count: int
    sum_cents: int
    transfers: tuple[Transfer, ...]


def next_banking_day(day: dt.date) -> dt.date:
    """The first day after a day on which banks pay (TARGET) and the town hall works."""
    while True:
        day = add_working_days(day, 1)
        if day not in _target_closing_days(day.year):
            return day


@cache
def _target_closing_days(year: int) -> frozenset[dt.date]:
    return frozenset(financial_holidays("ECB", years=year))


def clean(text: str, most: int) -> str:
    """A text in the signs that every bank takes (a-z A-Z 0-9 / - ? : ( ) . , ' + space), no longer than allowed.

    It never begins or ends with a slash and holds no double one. It may become empty.
    """
    plain = re.sub(rf"[^{_ALLOWED}]", " ", unidecode(text).translate(_SIGNS))
    plain = re.sub(r"/(?:\s*/)+", "/", " ".join(plain.split()))
    return plain.strip(" /")[:most].strip(" /")


def is_reference(text: str) -> bool:
    """Whether a number of ours (MsgId, PmtInfId, EndToEndId) may be in a file."""
    return (
        _REFERENCE.fullmatch(text) is not None
        and text == text.strip(" ")
        and not text.startswith("/")
        and not text.endswith("/")
        and "//" not in text
    )


def is_iban(iban: str) -> bool:
    """Whether this is an account number (mod 97, length of its country) that SEPA reaches."""
    try:
        found = IBAN(iban)
    except (SchwiftyException, ValueError):
        return False
    return str(found) == iban and found.in_sepa_zone


def cents_of(amount: str) -> int | None:
    """An amount in XML, such as "12.5", in cents; None when it is none."""
    match = _AMOUNT.fullmatch(amount)
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")) if match else None


def make_file(
    transfers: Sequence[Transfer],
    *,
    account: BankAccount,
    message_id: str,
    created_at: dt.datetime,
    execution_on: dt.date,
) -> bytes:
    """The file for these transfers: the same arguments give the same bytes.

    Every transfer is booked on its own (BtchBookg false): its line on the statement then carries its end-to-end id.
    Checked against the XSD, and read again: counts, sums and every transfer are what was asked.
    Raises: SepaRefused.
    """
    _check(transfers, account, message_id)
    moment = created_at.astimezone(AMSTERDAM).strftime("%Y-%m-%dT%H:%M:%S")
    content = _set_own(_export(transfers, account, execution_on), account, message_id, moment)
    if not _schema().is_valid(content.decode()):
        raise SepaRefused("the file does not follow its XSD")
    asked = Order(
        message_id=message_id,
        created_at=moment,
        execution_on=execution_on,
        debtor_iban=account.iban,
        count=len(transfers),
        sum_cents=sum(one.amount_cents for one in transfers),
        transfers=tuple(_as_sent(one) for one in transfers),
    )
    if read_file(content) != asked:
        raise SepaRefused("the file says something else than was asked")
    return content


def read_file(content: bytes) -> Order:
    """What a file of ours says. Raises: SepaRefused when it is none, or contradicts itself."""
    try:
        document = read_xml(content)
    except UnreadableXml as error:
        raise SepaRefused("not XML") from error
    head, blocks = document.root.find("CstmrCdtTrfInitn/GrpHdr"), document.root.findall("CstmrCdtTrfInitn/PmtInf")
    if document.namespace != _NAMESPACE or head is None or len(blocks) != 1:
        raise SepaRefused("not one order of our kind")
    block = blocks[0]
    transfers = tuple(_read_transfer(one) for one in block.findall("CdtTrfTxInf"))
    counts = {text_of(part, "NbOfTxs") for part in (head, block)}
    sums = {cents_of(text_of(part, "CtrlSum")) for part in (head, block)}
    total = sum(one.amount_cents for one in transfers)
    if counts != {str(len(transfers))} or sums != {total}:
        raise SepaRefused("count or sum is not that of the transfers")
    if {text_of(head, "MsgId")} != {text_of(block, "PmtInfId")}:
        raise SepaRefused("the numbers of file and order differ")
    return Order(
        message_id=text_of(head, "MsgId"),
        created_at=text_of(head, "CreDtTm"),
        execution_on=dt.date.fromisoformat(text_of(block, "ReqdExctnDt/Dt")),
        debtor_iban=text_of(block, "DbtrAcct/Id/IBAN"),
        count=len(transfers),
        sum_cents=total,
        transfers=transfers,
    )


@cache
def _schema() -> XMLSchema:
    """The XSD that sepaxml brings. Read once: that takes longer than all the rest, while payouts are locked."""
    return XMLSchema(str(files("sepaxml") / "schemas" / f"{SCHEMA}.xsd"))


def _check(transfers: Sequence[Transfer], account: BankAccount, message_id: str) -> None:
    if not transfers:
        raise SepaRefused("nothing to pay")
    if not is_reference(message_id) or not is_iban(account.iban) or not clean(account.holder, LONGEST_NAME):
        raise SepaRefused("the number of the file, or our own account, is not right")
    if len({one.end_to_end_id for one in transfers}) != len(transfers):
        raise SepaRefused("one number for two transfers")
    for one in transfers:
        if not is_reference(one.end_to_end_id):
            raise SepaRefused("its number", one.end_to_end_id)
        if not is_iban(one.iban) or one.iban == account.iban:
            raise SepaRefused("its account number", one.end_to_end_id)
        if not clean(one.name, LONGEST_NAME) or not clean(one.remittance, LONGEST_REMITTANCE):
            raise SepaRefused("its name or text has no letter that a bank takes", one.end_to_end_id)
        if not 0 < one.amount_cents <= MOST_CENTS:
            raise SepaRefused("its amount", one.end_to_end_id)


def _as_sent(one: Transfer) -> Transfer:
    return Transfer(
        end_to_end_id=one.end_to_end_id,
        iban=one.iban,
        name=clean(one.name, LONGEST_NAME),
        amount_cents=one.amount_cents,
        remittance=clean(one.remittance, LONGEST_REMITTANCE),
    )


def _export(transfers: Sequence[Transfer], account: BankAccount, execution_on: dt.date) -> bytes:
    config = {"name": clean(account.holder, LONGEST_NAME), "IBAN": account.iban, "batch": True, "currency": CURRENCY}
    if account.bic:
        config["BIC"] = account.bic
    order = SepaTransfer(config, schema=SCHEMA, clean=False)
    for one in map(_as_sent, transfers):
        order.add_payment(
            {
                "name": one.name,
                "IBAN": one.iban,
                "amount": one.amount_cents,
                "description": one.remittance,
                "execution_date": execution_on,
                "endtoend_id": one.end_to_end_id,
            }
        )
    exported: bytes = order.export(validate=False)
    return exported


def _set_own(content: bytes, account: BankAccount, message_id: str, moment: str) -> bytes:
    """Put our own numbers and moment where sepaxml puts chance and its clock."""
    root = read_xml(content).root
    own = {
        "GrpHdr/MsgId": message_id,
        "GrpHdr/CreDtTm": moment,
        "PmtInf/PmtInfId": message_id,
        "PmtInf/BtchBookg": "false",
    }
    for path, value in own.items():
        (found,) = root.findall(f"CstmrCdtTrfInitn/{path}")
        found.text = value
    if not account.bic:
        (agent,) = root.findall("CstmrCdtTrfInitn/PmtInf/DbtrAgt/FinInstnId")
        ElementTree.SubElement(ElementTree.SubElement(agent, "Othr"), "Id").text = "NOTPROVIDED"
    root.set("xmlns", _NAMESPACE)
    body: bytes = ElementTree.tostring(root, "utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body


def _read_transfer(element: ElementTree.Element) -> Transfer:
    amount = element.find("Amt/InstdAmt")
    cents = cents_of(text_of(element, "Amt/InstdAmt"))
    if amount is None or amount.get("Ccy") != CURRENCY or cents is None:
        raise SepaRefused("an amount that is not in euros")
    return Transfer(
        end_to_end_id=text_of(element, "PmtId/EndToEndId"),
        iban=text_of(element, "CdtrAcct/Id/IBAN"),
        name=text_of(element, "Cdtr/Nm"),
        amount_cents=cents,
        remittance=text_of(element, "RmtInf/Ustrd"),
    )
