# SPDX-License-Identifier: EUPL-1.2
"""A voucher code says "this letter came to my own address": it makes a verified resident, and gives nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.accounts.models import Account, VerifiedAddress
from abs_platform.accounts.states import ACCOUNTS_PER_ADDRESS
from abs_platform.actors import Actor
from abs_platform.errors import Conflict
from abs_platform.initiatives.organisers import verify_addresses
from abs_platform.municipality import Rules
from abs_platform.vouchers.redeeming import Answer, Client, address_of_code

if TYPE_CHECKING:
    from abs_platform.vouchers.codes import CodeKeys
    from abs_platform.vouchers.queries import LetterAddress


def verify_by_code(
    session: Session,
    account_id: int,
    payload: int,
    client: Client,
    *,
    keys: CodeKeys,
    rules: Rules,
    actor: Actor,
    now: dt.datetime,
) -> Answer[LetterAddress]:
    """Make an account a verified resident of the address that the letter with this code was sent to.

    Only the address is kept: no household and no voucher, so that nothing leads from a person to a gift (rule 11). A
    wrong code is returned and not raised, so that it is counted. One letter is for all people of a household.

    Locks: the client's count, the account, then the address, so that many at once cannot slip past the limit.
    Raises: TooManyAttempts; Conflict when too many accounts are at this address, or the account was deleted.
    """
    answer = address_of_code(session, payload, client, keys=keys, rules=rules, now=now)
    found = answer.found
    if found is None:
        return answer
    email = session.scalar(
        select(Account.email).where(Account.id == account_id).with_for_update(read=True, key_share=True)
    )
    if email is None:
        raise Conflict(_("Dit account bestaat niet meer."))
    _refuse_a_crowd(session, account_id, found)
    address = {
        "neighbourhood_id": found.neighbourhood_id,
        "postcode": found.postcode,
        "house_number": found.house_number,
        "verified_at": now,
    }
    session.execute(
        insert(VerifiedAddress)
        .values(account_id=account_id, **address)
        .on_conflict_do_update(index_elements=["account_id"], set_=address)
    )
    verify_addresses(session, account_id, email, postcode=found.postcode, house_number=found.house_number, now=now)
    events.record(session, "account.address_verified", account_id, actor=actor, now=now)
    return answer


def _refuse_a_crowd(session: Session, account_id: int, found: LetterAddress) -> None:
    lock = hashlib.sha256(f"verified address {found.postcode} {found.house_number}".encode()).digest()[:8]
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": int.from_bytes(lock, signed=True)})
    others = session.scalar(
        select(func.count()).where(
            VerifiedAddress.postcode == found.postcode,
            VerifiedAddress.house_number == found.house_number,
            VerifiedAddress.account_id != account_id,
        )
    )
    if (others or 0) >= ACCOUNTS_PER_ADDRESS:
        raise Conflict(
            _(
                "Op dit adres hebben al %(number)s mensen bevestigd dat ze er wonen. Woon jij er ook? Neem dan contact "
                "met ons op.",
                number=ACCOUNTS_PER_ADDRESS,
            )
        )


def remove_verified_address(session: Session, account_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Forget the address of an account, when its owner asks. What initiatives say of themselves stays as it is."""
    removed = delete(VerifiedAddress).where(VerifiedAddress.account_id == account_id)
    if getattr(session.execute(removed), "rowcount", 0):
        events.record(session, "account.address_removed", account_id, actor=actor, now=now)
