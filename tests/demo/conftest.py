# SPDX-License-Identifier: EUPL-1.2
"""The demo in a database of its own, loaded once for the tests of this folder."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.clock import AMSTERDAM
from abs_platform.database import db
from abs_platform.demo.loading import bank_file, load
from tests.conftest import make_app
from tests.stand_in import StandIn

# Just after midnight, on a Monday after the holidays.
NOW = dt.datetime(2027, 1, 4, 0, 20, tzinfo=AMSTERDAM).astimezone(dt.UTC)


@pytest.fixture(scope="package")
def town(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An app with the demo."""
    folder: Path = tmp_path_factory.mktemp("demo")
    app = make_app(f"abs_demo_{worker}", folder)
    with app.app_context():
        extensions = app.extensions
        load(extensions["settings"], extensions["code_keys"], extensions["file_store"], lambda _line: None, NOW)
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def loaded(town: Flask) -> Iterator[Session]:
    with Session(db.engine) as session:
        yield session


@pytest.fixture
def demo_bank(town: Flask) -> Iterator[StandIn]:
    """The demo bank, as its server finds it after the loading."""
    bank = StandIn(str(bank_file(town.extensions["settings"])))
    bank.at(NOW)
    yield bank
    bank.close()
