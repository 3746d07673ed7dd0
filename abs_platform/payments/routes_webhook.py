# SPDX-License-Identifier: EUPL-1.2
"""Where the payment provider tells what became of a payment. It signs what it sends: no session, no CSRF token."""

from http import HTTPStatus

import structlog
from flask import Blueprint, Response, request

from abs_platform.extensions import csrf
from abs_platform.payments.port import EventForged
from abs_platform.payments.webhooks import receive
from abs_platform.security import webhook

bp = Blueprint("payments_webhook", __name__)

LARGEST_EVENT = 256_000
log = structlog.get_logger()


@bp.post("/webhooks/stripe")
@csrf.exempt
@webhook
def stripe() -> Response:
    """200 once it is kept, 400 for what our provider did not sign; any other answer makes it come again."""
    request.max_content_length = LARGEST_EVENT
    payload = request.get_data(cache=False)
    try:
        receive(payload, request.headers.get("Stripe-Signature", ""))
    except EventForged as error:
        log.warning("forged event refused", reason=error.staff_reason or error.message)
        return _answer(HTTPStatus.BAD_REQUEST)
    return _answer(HTTPStatus.OK)


def _answer(status: HTTPStatus) -> Response:
    return Response(status.phrase, status, content_type="text/plain", headers={"Cache-Control": "no-store"})
