# SPDX-License-Identifier: EUPL-1.2
"""``abs rulebook load``: the municipality's own file, or another, and never over what is there by accident."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.rulebook.models import RuleQuestion
from tests.cli.conftest import Shell


def test_the_command_loads_the_municipalitys_file_once(run_abs: Shell, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "regels.toml"
    path.write_text('[[questions]]\nkey = "fire"\ntext = "Komt er vuur?"\n', encoding="utf-8")

    first = run_abs("rulebook", "load")
    again = run_abs("rulebook", "load")
    replaced = run_abs("rulebook", "load", path, "--replace")

    assert (first.status, first.out) == (0, "8 vragen en 31 adviezen geladen.\n")
    assert again.status == 1
    assert "--replace" in again.err
    assert (replaced.status, replaced.out) == (0, "1 vragen en 0 adviezen geladen.\n")
    session.rollback()
    assert session.scalars(select(RuleQuestion.key)).all() == ["fire"]
