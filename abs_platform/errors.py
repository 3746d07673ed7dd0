# SPDX-License-Identifier: EUPL-1.2
"""The errors of the domain, and the one place that turns any error into a page or problem+json."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, render_template, request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

log = structlog.get_logger()


class AbsError(Exception):
    """A refusal that its reader can act on.

    The status stands on the class; the Dutch sentence on the instance says what happened and what to do next.
    ``staff_reason`` goes to the log only.
    """

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    title: str | LazyString = _l("Er ging iets mis")

    def __init__(self, message: str, *, staff_reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.staff_reason = staff_reason


class InvalidInput(AbsError):
    """What was sent cannot be read; ``fields`` says per field what to change."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = _l("Dit kunnen we niet verwerken")

    def __init__(self, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}


class NotAllowed(AbsError):
    """This person may not do this."""

    status = HTTPStatus.FORBIDDEN
    title = _l("Dit mag niet")


class NotFound(AbsError):
    """There is no such thing, or it is not for this reader's eyes."""

    status = HTTPStatus.NOT_FOUND
    title = _l("Niet gevonden")


class Conflict(AbsError):
    """The thing is there, but not in a state in which this can be done."""

    status = HTTPStatus.CONFLICT
    title = _l("Dit kan nu niet")


class InvalidTransition(Conflict):
    """A move that the table of the life in question does not hold."""

    def __init__(self, subject: str, source: str, target: str) -> None:
        words = {"subject": subject, "source": source, "target": target}
        super().__init__(_("Dit kan niet: %(subject)s is '%(source)s' en kan niet '%(target)s' worden.", **words))


class InitiativeNotOpen(Conflict):
    """The initiative does not collect (any more)."""


class VoucherNotUsable(Conflict):
    """A wrong code. One sentence whatever is wrong with it (rule 10); the reason is for the staff log."""


class RoundOverlaps(Conflict):
    """Two rounds would be open at once in one district."""


class TooManyAttempts(AbsError):
    """Too many wrong codes from one client; ``retry_at`` (aware UTC) says when it may try again."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    title = _l("Te vaak geprobeerd")

    def __init__(self, message: str, *, retry_at: dt.datetime, now: dt.datetime) -> None:
        super().__init__(message)
        self.retry_at = retry_at
        self.retry_after_seconds = max(1, int((retry_at - now).total_seconds()) + 1)


class ProviderUnavailable(AbsError):
    """Somebody else's service that we need does not answer, or not as agreed."""

    status = HTTPStatus.BAD_GATEWAY
    title = _l("Dit lukt nu even niet")


def problem(
    status: int,
    title: str | LazyString,
    detail: str | LazyString,
    *,
    errors: dict[str, Any] | None = None,
    retry_after: int | None = None,
) -> Response:
    """An RFC 9457 answer, as the Dutch API Design Rules ask."""
    body: dict[str, Any] = {"type": "about:blank", "status": int(status), "title": str(title), "detail": str(detail)}
    if errors:
        body["errors"] = errors
    body["requestId"] = g.get("request_id", "")
    response = jsonify(body)
    response.status_code = int(status)
    response.content_type = "application/problem+json"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def is_api_request() -> bool:
    """Whether this request is answered with problem+json instead of a page."""
    return request.path.startswith("/api/")


_HTTP_MESSAGES: dict[int, tuple[LazyString, LazyString]] = {
    400: (_l("Dit kunnen we niet verwerken"), _l("Ga terug, laad de pagina opnieuw en probeer het nog een keer.")),
    403: (_l("Dit mag niet"), _l("Je mag deze pagina niet openen.")),
    404: (
        _l("Niet gevonden"),
        _l("Deze pagina bestaat niet (meer). Kijk of het adres klopt, of zoek verder bij de initiatieven."),
    ),
    405: (_l("Dit kan hier niet"), _l("Ga terug en gebruik de knop op de pagina.")),
    413: (_l("Te groot"), _l("Wat je stuurt is te groot. Maak het kleiner en probeer het nog een keer.")),
    415: (_l("Dit formaat kennen we niet"), _l("Stuur de gegevens als JSON.")),
    429: (_l("Te vaak geprobeerd"), _l("Wacht even en probeer het dan nog een keer.")),
    503: (
        _l("Even niet beschikbaar"),
        _l("De site is even niet bereikbaar. Probeer het over een paar minuten nog een keer."),
    ),
}


def _answer_abs_error(error: AbsError) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    if error.staff_reason:
        log.info("refused", error=type(error).__name__, reason=error.staff_reason)
    retry_after = error.retry_after_seconds if isinstance(error, TooManyAttempts) else None
    if is_api_request():
        fields = {name: [text] for name, text in error.fields.items()} if isinstance(error, InvalidInput) else None
        status = HTTPStatus.BAD_REQUEST if isinstance(error, InvalidInput) else error.status
        return problem(status, error.title, error.message, errors=fields, retry_after=retry_after)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return _error_page(error.status, error.title, error.message), int(error.status), headers


def _error_page(status: int, title: str | LazyString, message: str | LazyString) -> str:
    return render_template(
        "errors/error.html", status=int(status), title=title, message=message, request_id=g.get("request_id", "")
    )


def _answer_http_exception(error: HTTPException) -> Response | HTTPException | tuple[str, int, dict[str, str]]:
    if error.response is not None or error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    if isinstance(error, SecurityError):  # a host name that is not ours: no page of ours can have its addresses there
        return Response("Op dit adres is niets te vinden.", HTTPStatus.BAD_REQUEST, content_type="text/plain")
    title, message = _HTTP_MESSAGES.get(error.code, (_("Er ging iets mis"), error.description or ""))
    allowed = {name: value for name, value in error.get_headers() if name == "Allow"}  # a 405 names what can be done
    if is_api_request():
        data: dict[str, Any] = getattr(error, "data", {})
        if "messages" in data:  # input that its schema refused: all its errors at once, as 400
            title, message = "Dit kunnen we niet verwerken", "Kijk per veld wat er anders moet."
            errors: dict[str, Any] = {}
            for location, refused in data["messages"].items():
                errors |= refused if isinstance(refused, dict) else {location: refused}
            return problem(HTTPStatus.BAD_REQUEST, title, message, errors=errors)
        response = problem(error.code, title, message)
        response.headers.update(allowed)
        return response
    return _error_page(error.code, title, message), error.code, allowed


def _answer_no_database(error: OperationalError) -> Response | tuple[str, int, dict[str, str]]:
    """The database is restarting, or away: nothing was done, and a moment later all may be well."""
    log.error("database does not answer", exc_info=error)
    status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "10"}
    if is_api_request():
        return problem(status, *_HTTP_MESSAGES[status], retry_after=10)
    return render_template("errors/500.html", request_id=g.get("request_id", "")), int(status), headers


def _answer_bug(error: Exception) -> Response | tuple[str, int]:
    """A bug stays a bug: logged with its trace, answered with a page that needs no database."""
    log.error("unhandled error", exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if is_api_request():
        return problem(status, "Er ging iets mis", "Er ging bij ons iets mis. Probeer het later nog een keer.")
    return render_template("errors/500.html", request_id=g.get("request_id", "")), int(status)


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(AbsError, _answer_abs_error)
    app.register_error_handler(HTTPException, _answer_http_exception)
    app.register_error_handler(OperationalError, _answer_no_database)
    app.register_error_handler(Exception, _answer_bug)
