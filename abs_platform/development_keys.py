# SPDX-License-Identifier: EUPL-1.2
"""The keys of a development machine, which makes its own; in production they are set."""

import os
import secrets
import tomllib
from pathlib import Path
from typing import cast


def development_keys(instance_dir: Path) -> dict[str, str]:
    """Made once, kept in the instance folder, readable by its owner only."""
    path = instance_dir / "development-keys.toml"
    if not path.exists():
        instance_dir.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("".join(f'{name} = "{secrets.token_urlsafe(48)}"\n' for name in ("secret_key", "voucher_key")))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its keys count
        finally:
            draft.unlink()
    return cast(dict[str, str], tomllib.loads(path.read_text(encoding="utf-8")))
