# SPDX-License-Identifier: EUPL-1.2
"""Structured logs: one JSON line per event, or readable lines on a terminal. No secrets, no addresses, no codes."""

import logging
import sys
import time
import uuid

import structlog
from flask import Flask, Response, g, request

access_log = structlog.get_logger("access")
_UNLOGGED = {"static", "pages.healthz", "pages.readyz"}


def configure(*, as_json: bool) -> None:
    """Set structlog and the standard library's logging up once per process, both on stderr."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # without locals: a code could be among them
        )
    )
    exceptions: list[structlog.typing.Processor] = [structlog.processors.format_exc_info] if as_json else []
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *exceptions, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for talkative in ("alembic", "apscheduler"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def request_id_of(given: str) -> str:
    """The number of a request: the one that a proxy gave it, or a new one."""
    return given if given.isascii() and given.isalnum() and len(given) <= 64 else uuid.uuid4().hex


def _start_clock() -> None:
    g.started = time.perf_counter()


def _log_request(response: Response) -> Response:
    """Log the route's pattern and never its query, so that nothing a person typed gets into the log."""
    if request.endpoint not in _UNLOGGED:
        route = str(request.url_rule) if request.url_rule else None
        log_request(request.method, route, response.status_code, g.get("started", time.perf_counter()))
    return response


def log_request(method: str, route: str | None, status: int, started: float, **more: str) -> None:
    """One line for one request. ``started`` is on the clock of time.perf_counter."""
    took = round((time.perf_counter() - started) * 1000, 1)
    access_log.info("request", method=method, route=route, status=status, ms=took, **more)


def init_app(app: Flask) -> None:
    """Log every request."""
    app.before_request(_start_clock)
    app.after_request(_log_request)
