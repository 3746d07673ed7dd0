# SPDX-License-Identifier: EUPL-1.2
"""The edge of giving, for page and API alike: one transaction for the gift, and one right after it for the closing."""

from __future__ import annotations

from flask import current_app

from abs_platform import clock
from abs_platform.actors import GIVER
from abs_platform.database import transaction
from abs_platform.donations.service import Gift, GiftDetails
from abs_platform.initiatives.service import close_if_funded
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import request_client
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.vouchers.queries import VoucherStatus
from abs_platform.vouchers.redeeming import Client, look_up, redeem


def code_keys() -> CodeKeys:
    """The keys of this app's codes."""
    keys: CodeKeys = current_app.extensions["code_keys"]
    return keys


def look_up_for_client(payload: int) -> VoucherStatus:
    """The usable voucher of a code that this request's client typed.

    Raises: VoucherNotUsable, after the wrong code was counted; TooManyAttempts.
    """
    client = Client(*request_client())
    with transaction() as session:
        answer = look_up(session, payload, client, keys=code_keys(), rules=current_rules(), now=clock.now())
    return answer.or_raise()


def give_for_client(payload: int, initiative_id: int, details: GiftDetails) -> Gift:
    """Give the voucher of a code that this request's client typed.

    The gift that reaches the target funds the initiative before its giver sees the receipt, in a transaction of its
    own; a crash between the two is healed by close_initiatives.

    Raises: VoucherNotUsable, after the wrong code was counted; TooManyAttempts; InitiativeNotOpen; InvalidInput for a
    second choice that cannot be (field plan_b_id).
    """
    client, now = Client(*request_client()), clock.now()
    with transaction() as session:
        answer = redeem(
            session, payload, initiative_id, client, details, keys=code_keys(), rules=current_rules(), now=now
        )
    gift = answer.or_raise()
    with transaction() as session:
        close_if_funded(session, gift.initiative_id, actor=GIVER, now=now)
    return gift
