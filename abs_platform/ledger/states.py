# SPDX-License-Identifier: EUPL-1.2
"""The accounts of the books and the kinds of what is booked."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class Account(LabelledEnum):
    """An account. Budget and vouchers are kept per round, initiative per initiative, the others once.

    Sign convention: a posting is what the account gains. What a round's budget pays out it loses (-), what the vouchers
    of a round or an initiative hold they gain (+); the provider loses (-) what it owes us, the bank gains (+) what we
    paid out. Every transaction sums to zero.
    """

    BUDGET = "budget", _l("budget van de ronde")
    VOUCHERS = "vouchers", _l("vouchers van de ronde")
    INITIATIVE = "initiative", _l("initiatief")
    PROVIDER = "provider", _l("betaaldienst")
    FEES = "fees", _l("kosten van de betaaldienst")
    BANK = "bank", _l("bank")


class TransactionKind(LabelledEnum):
    """What happened."""

    VOUCHERS_ISSUED = "vouchers_issued", _l("vouchers uitgegeven")
    VOUCHER_GIVEN = "voucher_given", _l("voucher gegeven")
    VOUCHER_RETURNED = "voucher_returned", _l("voucher teruggegeven")
    VOUCHERS_EXPIRED = "vouchers_expired", _l("vouchers verlopen")
    VOUCHERS_REVOKED = "vouchers_revoked", _l("vouchers ingetrokken")
