# SPDX-License-Identifier: EUPL-1.2
"""The database: the session, the base of all models, and the one place that commits."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Engine, ExceptionContext, MetaData, Text, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session, registry


class Base(DeclarativeBase):
    """Every table: constraint names by convention, moments with a time zone, texts without a length."""

    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            int: BigInteger,
            str: Text,
            dt.datetime: DateTime(timezone=True),
            dict[str, Any]: JSONB(none_as_null=True),
        },
    )


db = SQLAlchemy(model_class=Base)

_VALUES = re.compile(r"\n(?:DETAIL|CONTEXT): .*", re.DOTALL)

_constraint_errors: dict[str, Callable[[], Exception]] = {}


def on_violation(constraint: str, make_error: Callable[[], Exception]) -> None:
    """Say which domain error a violated constraint stands for (by its name, never by message text)."""
    _constraint_errors[constraint] = make_error


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit when the block ends well, roll back when it does not: the only place that commits.

    Opened at the edges: write routes, webhooks, job items, commands.
    Raises: the domain error registered with ``on_violation`` for a violated constraint.
    """
    session = cast(Session, db.session)
    try:
        yield session
        session.commit()
    except IntegrityError as error:
        session.rollback()
        original = error.orig
        name = original.diag.constraint_name if isinstance(original, psycopg.Error) else None
        if name is not None and name in _constraint_errors:
            domain_error = _constraint_errors[name]()
            raise domain_error from error
        raise
    except BaseException:
        session.rollback()
        raise


@event.listens_for(Engine, "handle_error")
def _leave_values_out(context: ExceptionContext) -> None:
    """PostgreSQL repeats the values of a refused row in its message; what people typed does not belong in a log."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args and isinstance(error.args[0], str):
            error.args = (_VALUES.sub("", error.args[0]), *error.args[1:])


def driver_connection(session: Session) -> psycopg.Connection[Any]:
    """The psycopg connection under a session, in the same transaction: for COPY and cursors on the server."""
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError("the session is not on psycopg")
    return connection


def one_snapshot(session: Session) -> None:
    """Let all queries of this transaction see one moment. Called before any other query."""
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def in_list(values: type[Any]) -> str:
    """The members of a StrEnum as an SQL list, for a CHECK constraint."""
    return "(" + ", ".join(f"'{member.value}'" for member in values) + ")"


def init_app(app: Flask, url: str) -> None:
    """Connect the app to a PostgreSQL."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": 8,
        "max_overflow": 8,
        "pool_recycle": 280,
        "hide_parameters": True,  # what people typed does not belong in a log
    }
    db.init_app(app)
