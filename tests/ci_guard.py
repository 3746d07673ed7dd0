# SPDX-License-Identifier: EUPL-1.2
"""On continuous integration nothing may be skipped: a test that did not run proves nothing."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping

import pytest

ONLY_AS_ROOT = "only root runs the server as another user"  # the one excuse: who runs the tests is no lack of set-up


def on_ci(env: Mapping[str, str] = os.environ) -> bool:
    """Whether this is continuous integration, as its services say it: ``CI=true``."""
    return env.get("CI", "").lower() in {"1", "true"}


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skipped test or file into a failure on CI. An expected failure (xfail) is no skip."""
    if not report.skipped or hasattr(report, "wasxfail") or not on_ci():
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if reason.endswith(ONLY_AS_ROOT) and os.geteuid() != 0:
        return
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid} may not be skipped on CI: {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at every test's report before anybody counts it."""
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at every file's report: a whole file can be skipped too."""
    report = yield
    refuse_skip(report)
    return report
