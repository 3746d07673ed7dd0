# SPDX-License-Identifier: EUPL-1.2
"""The command that makes letters: what it makes, what it says, and what it says when it cannot."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from tests.cli.conftest import Shell
from tests.cli.test_commands import failed, went_well
from tests.factories import Factory
from tests.letters.making import approved_text


def test_letters_are_made_by_command_and_say_what_is_missing(
    run_abs: Shell, session: Session, factory: Factory, tmp_path: Path
) -> None:
    factory.households(3)
    round_ = factory.round(name="Proef")
    session.commit()
    out = tmp_path / "brieven"

    nothing_yet = failed(run_abs("vouchers", "letters", "Proef", "--out", out))
    went_well(run_abs("vouchers", "issue", "Proef"))
    no_text = failed(run_abs("vouchers", "letters", "Proef", "--out", out))
    approved_text(factory)
    session.commit()
    other_batch = failed(run_abs("vouchers", "letters", "Proef", "--out", out, "--batch", "99"), status=2)
    made = went_well(run_abs("vouchers", "letters", "Proef", "--out", out))
    again = went_well(run_abs("vouchers", "letters", round_.id, "--out", out))

    assert "nog geen vouchers" in nothing_yet
    assert "geen goedgekeurde tekst" in no_text
    assert "--batch" in other_batch
    assert f"{out}: 3 brieven in 2 bestanden" in made
    assert "SHA-256 van manifest.json: " in made
    assert made.splitlines()[-1] == again.splitlines()[-1]
