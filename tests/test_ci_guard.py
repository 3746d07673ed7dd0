# SPDX-License-Identifier: EUPL-1.2
"""On continuous integration a skip is a failure, everywhere else it is a skip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT_DIR = Path(__file__).parent.parent
SKIPPING = """
import pytest

def test_passes(): pass

def test_skips(): pytest.skip("no browser")

@pytest.mark.skip(reason="marked")
def test_is_marked(): pass

@pytest.mark.xfail
def test_fails_as_expected(): assert False
"""


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [("", "1 passed, 2 skipped, 1 xfailed"), ("true", "1 failed, 1 passed, 1 xfailed, 1 error")],
)
def test_a_skip_fails_on_ci_only(tmp_path: Path, ci: str, outcome: str) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPING)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.ci_guard", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path,
        env={"CI": ci, "PYTHONPATH": str(ROOT_DIR), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert outcome in result.stdout
    assert result.returncode == (1 if ci else 0)
