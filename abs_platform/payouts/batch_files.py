# SPDX-License-Identifier: EUPL-1.2
"""The file of a batch: made of its payouts, sealed at rest, and compared with them again before it goes anywhere."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import sealing
from abs_platform.errors import Conflict
from abs_platform.initiatives.subjects import subject_of
from abs_platform.payment_settings import BankAccount
from abs_platform.payouts import sepa
from abs_platform.payouts.models import Payout, PayoutBatch
from abs_platform.payouts.service import PURPOSE as IBAN
from abs_platform.payouts.service import iban_of

PURPOSE = "batch"  # of sealing; the owner is the number in the file


def transfer_of(session: Session, payout: Payout, secret_key: str) -> sepa.Transfer:
    """What the bank gets. Raises: Conflict when the account number is not the one that was checked."""
    iban = iban_of(payout, secret_key)
    title = subject_of(session, payout.initiative_id).title
    if sealing.fingerprint(secret_key, IBAN, iban) != payout.iban_digest or not sepa.is_iban(iban):
        raise Conflict(_("Het rekeningnummer van '%(title)s' klopt niet. Stuur de uitbetaling terug.", title=title))
    return sepa.Transfer(
        end_to_end_id=payout.end_to_end_id,
        iban=iban,
        name=payout.holder_name,
        amount_cents=payout.amount_cents,
        remittance=_("Initiatief %(id)s: %(title)s", id=payout.initiative_id, title=title),
    )


def agrees(content: bytes, transfers: Sequence[sepa.Transfer], account: BankAccount) -> bool:
    """Whether a file pays exactly this from our account. The text beside it is not compared: a title may change."""
    try:
        order = sepa.read_file(content)
    except sepa.SepaRefused:
        return False
    return order.debtor_iban == account.iban and _core(order.transfers) == _core(transfers)


def _core(transfers: Sequence[sepa.Transfer]) -> list[tuple[str, str, int, str]]:
    return sorted(
        (one.end_to_end_id, one.iban, one.amount_cents, sepa.clean(one.name, sepa.LONGEST_NAME)) for one in transfers
    )


def file_of(
    transfers: list[sepa.Transfer], account: BankAccount, message_id: str, now: dt.datetime, execution_on: dt.date
) -> bytes:
    """The bytes for the bank. Raises: Conflict that names the payout that cannot be in it."""
    try:
        return sepa.make_file(
            transfers, account=account, message_id=message_id, created_at=now, execution_on=execution_on
        )
    except sepa.SepaRefused as error:
        raise Conflict(
            _("Het bestand voor de bank kan niet worden gemaakt. Kijk naar uitbetaling %(id)s.", id=error.end_to_end_id)
            if error.end_to_end_id
            else _("Het bestand voor de bank kan niet worden gemaakt. Vraag hulp aan de beheerder."),
            staff_reason=str(error),
        ) from error


def sealed(content: bytes, message_id: str, secret_key: str) -> bytes:
    """The file as it rests in the database."""
    return sealing.seal(secret_key, PURPOSE, message_id, content)


def opened(batch: PayoutBatch, secret_key: str) -> bytes:
    """The file as it was made. Raises: Conflict when it is another one."""
    content = sealing.unseal(secret_key, PURPOSE, batch.message_id, batch.sealed_file)
    if content is None or hashlib.sha256(content).hexdigest() != batch.sha256:
        raise Conflict(_("Het bestand is niet meer zoals het werd gemaakt. Trek deze opdracht in en maak een nieuwe."))
    return content
