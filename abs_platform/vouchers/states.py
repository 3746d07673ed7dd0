# SPDX-License-Identifier: EUPL-1.2
"""The life of a voucher."""

from flask_babel import lazy_gettext as _l

from abs_platform.lives import LabelledEnum


class VoucherState(LabelledEnum):
    """Usable is not a state: an issued or kept voucher is usable between its round's opening and its own end."""

    ISSUED = "issued", _l("nog te geven")
    GIVEN = "given", _l("gegeven")
    KEPT = "kept", _l("bewaard")
    EXPIRED = "expired", _l("verlopen")
    REVOKED = "revoked", _l("ingetrokken")


TRANSITIONS: dict[VoucherState, frozenset[VoucherState]] = {
    VoucherState.ISSUED: frozenset({VoucherState.GIVEN, VoucherState.KEPT, VoucherState.EXPIRED, VoucherState.REVOKED}),
    VoucherState.KEPT: frozenset({VoucherState.GIVEN, VoucherState.EXPIRED}),
    VoucherState.GIVEN: frozenset({VoucherState.ISSUED, VoucherState.KEPT}),
    VoucherState.EXPIRED: frozenset(),
    VoucherState.REVOKED: frozenset(),
}


class BatchKind(LabelledEnum):
    """Why vouchers were issued together."""

    ISSUE = "issue", _l("uitgifte")
    REPLACEMENT = "replacement", _l("nieuwe brieven")
