# SPDX-License-Identifier: EUPL-1.2
"""Letters set a second, beside bare typst pages of the same weight, and the memory of all processes together."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from flask import Flask
from sqlalchemy import select

from abs_platform import clock
from abs_platform.accounts.models import Account
from abs_platform.areas.models import Area, HelpPoint
from abs_platform.database import transaction
from abs_platform.letters.content import default_content
from abs_platform.letters.models import LetterText
from abs_platform.letters.press import make_files
from abs_platform.letters.qr import QrPress
from abs_platform.letters.service import begin_run
from abs_platform.vouchers.issuing import issue_vouchers
from bench.harness import (
    ACTOR,
    Ratio,
    add_households,
    add_initiatives,
    add_open_round,
    interleave,
    rate,
    settings_of,
    settle,
    show,
    start_app,
)

LETTERS, REPEATS = 2_000, 3
MIN_PERCENT, MAX_MEGABYTES = 50, 500
# As many characters as a letter has on its front and on its back, and the same QR on each.
CHARACTERS = (2_050, 1_250)
BARE = """
#let pages = json(bytes(sys.inputs.pages))
#set document(title: "bare")
#set text(lang: "nl", font: "Noto Sans", size: 10pt, fallback: false)
#set page(paper: "a4")
#for (number, one) in pages.enumerate() {
  if number > 0 { pagebreak() }
  for paragraph in one.text.split("|") { par(paragraph) }
  image(bytes(one.qr), format: "svg", width: 33mm, alt: "QR")
}
"""
RUN_BARE = """
import sys, typst
sys.stdout.buffer.write(typst.compile(sys.argv[1].encode(), font_paths=[sys.argv[2]], ignore_system_fonts=True,
    format="pdf", pdf_standards="ua-1", sys_inputs={"pages": sys.stdin.read()}, timestamp=0))
"""
FONTS = Path(__file__).parent.parent / "abs_platform" / "letters" / "fonts"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="bin/bench letters", description=__doc__)
    parser.add_argument("--letters", type=int, default=LETTERS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    app = start_app()
    with app.app_context():
        run_id = _begin(app, options.letters)
        settle(settings_of(app))
        watch = Watch()
        bare = [_bare_pages(app, 400)]
        sides = {
            "ours": lambda: _ours(app, run_id, options.letters, options.workers, watch),
            "bare": lambda: _bare(bare[0], options.workers),
        }
        interleave(sides, 1)
        figures = interleave(sides, options.repeats)
    show(
        ("letters", "ours pages/s", "bare pages/s", "ratio", "target", "peak MB", "target", "33,500 letters"),
        [
            (
                f"{options.letters:,}",
                rate(figures["ours"]),
                rate(figures["bare"]),
                str(Ratio.of(figures["ours"], figures["bare"])),
                f">= {MIN_PERCENT}%",
                f"{watch.peak:.0f}",
                f"< {MAX_MEGABYTES}",
                f"{67_000 / sorted(figures['ours'])[len(figures['ours']) // 2]:.0f} s",
            )
        ],
    )


class Watch:
    """The most memory that this process and its children had together, looked at twenty times a second."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._is_on = False

    def __enter__(self) -> Watch:
        self._is_on = True
        threading.Thread(target=self._look, daemon=True).start()
        return self

    def __exit__(self, *_rest: object) -> None:
        self._is_on = False

    def _look(self) -> None:
        me = psutil.Process()
        while self._is_on:
            total = me.memory_info().rss
            for child in me.children(recursive=True):
                try:
                    if "typesetter" in " ".join(child.cmdline()):
                        total += child.memory_info().rss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total / 1024**2)
            time.sleep(0.05)


def _begin(app: Flask, letters: int) -> int:
    town = settings_of(app).municipality
    now = clock.now()
    with transaction() as session:
        add_households(session, letters)
        add_initiatives(session, 120, target_cents=50_000)
        account = Account(email="coordinator@voorbeeld.example", name="", created_at=now)
        session.add(account)
        session.flush()
        for district in session.scalars(select(Area).where(Area.level == "district")):
            session.add(
                HelpPoint(
                    district_id=district.id,
                    name=f"Wijkcentrum {district.name}",
                    address="Binnenhof 53, 7608 KX Almelo",
                    opening_hours="maandag tot en met vrijdag van 9.00 tot 17.00 uur",
                    phone="0546 12 34 56",
                )
            )
        text = LetterText(
            version=1,
            content=default_content(town).dump(),
            made_at=now,
            approved_at=now,
            approved_by_id=account.id,
        )
        session.add(text)
        keys = app.extensions["code_keys"]
        batch = issue_vouchers(session, add_open_round(session, app), keys=keys, actor=ACTOR, now=now).batch_id
        session.flush()
        return begin_run(session, batch or 0, text_id=text.id, keys=keys, actor=ACTOR, now=now).id


def _ours(app: Flask, run_id: int, letters: int, workers: int, watch: Watch) -> float:
    """Make all files of the run into a new folder; returns pages a second."""
    with tempfile.TemporaryDirectory() as folder, watch:
        start = time.perf_counter()
        made = make_files(run_id, Path(folder), keys=app.extensions["code_keys"], workers=workers)
        seconds = time.perf_counter() - start
    if made.letter_count != letters:
        raise RuntimeError(f"{made.letter_count} letters of {letters}")
    return 2 * letters / seconds


def _bare_pages(app: Flask, letters: int) -> str:
    """Pages with as much text and the same QR as letters have, different on each."""
    qr = QrPress(f"{settings_of(app).base_url}/v#")
    sentence = "Samen maken we een plek waar je even zit, elkaar spreekt en de kinderen kunnen spelen. "
    pages = []
    for number in range(letters):
        code = f"{number:012d}"
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {qr.side} {qr.side}"><path stroke="#000" d="'
        drawn = f'{head}{qr.path(code)}"/></svg>'
        for characters in CHARACTERS:
            text = f"{code} {sentence * 40}"[:characters]
            blocks = [text[start : start + 130] for start in range(0, len(text), 130)]
            pages.append({"text": "|".join(blocks), "qr": drawn})
    return json.dumps(pages)


def _bare(pages: str, workers: int) -> float:
    """Set the pages in as many processes as ours; returns pages a second of all together."""
    start = time.perf_counter()
    processes = [
        subprocess.Popen(
            [sys.executable, "-I", "-c", RUN_BARE, BARE, str(FONTS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(workers)
    ]
    for process in processes:
        process.communicate(pages)
        if process.returncode:
            raise RuntimeError("the bare pages were not set")
    return workers * 2 * 400 / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
