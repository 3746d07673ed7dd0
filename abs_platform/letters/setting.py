# SPDX-License-Identifier: EUPL-1.2
"""A process that sets one file of letters: codes go in through a pipe, the PDF comes out of another."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import structlog
from flask_babel import gettext as _

from abs_platform.errors import Conflict
from abs_platform.letters import typesetter
from abs_platform.letters.specimen import explained

log = structlog.get_logger()


def start(content: str) -> subprocess.Popen[bytes]:
    """A process that sets one file. It has read all that it was given when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-I", typesetter.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if process.stdin is None:
        raise RuntimeError("a process without a pipe")
    with suppress(BrokenPipeError):  # it died: why is told when its output is read
        process.stdin.write(content.encode())
        process.stdin.close()
    process.stdin = None
    return process


def output(process: subprocess.Popen[bytes], name: str) -> bytes:
    """What a process made. Raises: Conflict when it could not, with what it said, which holds no code."""
    made, said = process.communicate()
    if process.returncode:
        why = said.decode(errors="replace").strip() or str(process.returncode)
        log.error("letters were not set", file=name, why=why)
        raise Conflict(_("%(name)s is niet gemaakt: %(why)s", name=name, why=explained(why)))
    return made
