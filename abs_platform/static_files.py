# SPDX-License-Identifier: EUPL-1.2
"""Files of the site: one address in every language, with a fingerprint, so that browsers keep them for a year."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

A_YEAR = 31_536_000
FINGERPRINT = 10  # characters


class Site(Flask):
    """Flask, with fingerprints in the addresses of files."""

    def url_for(self, endpoint: str, **values: Any) -> str:
        """As Flask's; a file has no language before it, and its fingerprint behind it."""
        if endpoint != "static" or values.get("_external"):
            return super().url_for(endpoint, **values)
        name = values["filename"]
        mark = fingerprint(Path(self.static_folder or ""), name, self.debug)
        return f"{self.static_url_path}/{name}" + (f"?v={mark}" if mark else "")


def fingerprint(folder: Path, name: str, is_changing: bool = False) -> str:
    """The first characters of the digest of a file, or "" when there is no such file.

    Read once, or whenever it changed while somebody works on it.
    """
    path = folder / name
    try:
        return _digest(path, path.stat().st_mtime_ns if is_changing else 0)
    except OSError:
        return ""


@lru_cache(maxsize=2_000)
def _digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:FINGERPRINT]


def keep_for_a_year(response: Response) -> Response:
    """Let browsers not even ask again for a file with its fingerprint."""
    name, given = str((request.view_args or {}).get("filename", "")), request.args.get("v")
    is_file = request.endpoint == "static" and response.status_code == 200
    if is_file and given and given == fingerprint(Path(current_app.static_folder or ""), name, current_app.debug):
        response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    return response
