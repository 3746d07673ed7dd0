# SPDX-License-Identifier: EUPL-1.2
"""``bin/screenshots``: a picture of every kind of page at three widths, and one page that shows them all."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from tests.screenshots.index import write_index
from tests.screenshots.pages import Sight
from tests.screenshots.showing import Shown, shown_demo
from tests.screenshots.taking import Look, take_all

WIDTHS = (360, 768, 1280)


def main() -> None:
    """Take them all, and say where they are and which pages were not as they should be."""
    parser = argparse.ArgumentParser(prog="bin/screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/screenshots"))
    parser.add_argument("--dark", action="store_true", help="as who likes a dark screen sees them")
    parser.add_argument("--language", default="nl", help="another language of the site, such as en")
    parser.add_argument("--only", default="", metavar="WORD", help="only pages with this word in their name")
    parser.add_argument("--widths", default=",".join(map(str, WIDTHS)), help="the widths, with commas")
    asked = parser.parse_args()
    began = time.monotonic()
    look = Look(asked.folder, tuple(map(int, asked.widths.split(","))), is_dark=asked.dark, language=asked.language)
    look.folder.mkdir(parents=True, exist_ok=True)
    with shown_demo(look.folder) as shown:
        wanted = _wanted(shown, look, asked.only)
        wrong = asyncio.run(take_all(shown, wanted, look))
    write_index(look, wanted)
    print(f"{len(wanted)} pages in {time.monotonic() - began:.0f} seconds: {asked.folder / 'index.html'}")
    if wrong:
        raise SystemExit("\n".join(["Not as they should be:", *wrong]))


def _wanted(shown: Shown, look: Look, word: str) -> list[Sight]:
    """Staff work in Dutch alone."""
    pages = [sight for sight in shown.sights if word in sight.name]
    return pages if look.language == "nl" else [sight for sight in pages if not sight.is_of_staff]


if __name__ == "__main__":
    main()
