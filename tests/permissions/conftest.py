# SPDX-License-Identifier: EUPL-1.2
"""One town for all tests of a module; what a test tries is undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.database import db
from abs_platform.storage import FolderStore
from tests.payouts.bank_desk import OUR_ACCOUNT
from tests.permissions.arranging import arrange
from tests.permissions.town import Town


@pytest.fixture(scope="module")
def arranged(app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town, on a connection whose transaction is rolled back after the module."""
    with pytest.MonkeyPatch.context() as patch:
        with app.app_context():
            connection, engines = db.engine.connect(), db.engines
        outer = connection.begin()
        patch.setitem(app.extensions, "file_store", FolderStore(tmp_path_factory.mktemp("media")))
        patch.setitem(engines, None, connection)
        patch.setitem(app.extensions, "settings", replace(app.extensions["settings"], bank_account=OUR_ACCOUNT))
        patch.setitem(db.session.session_factory.kw, "join_transaction_mode", "create_savepoint")
        session = Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        try:
            with app.app_context():
                town = arrange(app, connection, session)
            session.close()
            yield town
        finally:
            session.close()
            outer.rollback()
            connection.close()


@pytest.fixture
def town(arranged: Town) -> Iterator[Town]:
    """The town as it was arranged, whatever another test did."""
    with arranged.undone():
        yield arranged
        arranged.session.close()
