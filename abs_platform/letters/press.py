# SPDX-License-Identifier: EUPL-1.2
"""The press: the edge that turns a run into files, a process for each, and goes on where it was killed.

Codes exist in clear only here, in the pipe to the process that sets a file, and in the files. A file is written down
(count, bytes, SHA-256) before the next; made again it has the same bytes, or nothing is replaced. The manifest of a
folder appears when the counts add up to the run.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import current_app
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.clock import last_day, local_date
from abs_platform.database import transaction
from abs_platform.errors import Conflict, NotFound
from abs_platform.letters import service
from abs_platform.letters.content import LetterContent
from abs_platform.letters.filing import MANIFEST, Folder, SealedStore, Shelf, file_name, open_sealed, own_folder
from abs_platform.letters.models import LetterFile
from abs_platform.letters.printing import PrintJob, letters_of, print_job
from abs_platform.letters.qr import qr_press
from abs_platform.letters.queries import FileRow
from abs_platform.letters.setting import output, start
from abs_platform.letters.sheets import Issue, Place, Printer, as_json
from abs_platform.letters.specimen import check_fits, own_sender, preview, preview_pages
from abs_platform.letters.states import FileKind, RunState
from abs_platform.vouchers import print_file

if TYPE_CHECKING:
    from abs_platform.vouchers.codes import CodeKeys

__all__ = ["PressReport", "check_fits", "make_files", "open_sealed", "preview", "preview_pages"]

_SPECIMEN_ADDRESS = ("-", "-")
_SPECIMEN_CODE = "0000-0000-0000"


@dataclass(frozen=True, slots=True)
class PressReport:
    """A run that is complete. ``replaced``: characters of addresses and titles that our fonts do not have.

    ``manifest_sha256`` is None when the files went to the file store.
    """

    letter_count: int
    file_count: int
    replaced: str
    manifest_sha256: str | None


def make_files(
    run_id: int,
    target: Path | None,
    *,
    keys: CodeKeys,
    on_progress: Callable[[int], None] | None = None,
    workers: int = 1,
    actor: Actor | None = None,
) -> PressReport:
    """Make what is missing of a run's files: into a folder, or (None) sealed into the file store.

    ``on_progress`` is told of so many letters more. Memory: some 200 MB for this process and 250 for each worker.
    Raises: NotFound; Conflict when the run was withdrawn, the key or an address changed, or a text does not fit;
    InvalidInput for a folder that cannot be written.
    """
    with transaction() as session:
        job = print_job(session, run_id)
    if job is None:
        raise NotFound(_("Deze brieven bestaan niet."))
    _check(job, keys)
    with _shelf(run_id, target, keys) as shelf:
        press = _Press(job, shelf, keys, on_progress or (lambda _step: None))
        press.make_letters(workers)
        press.make_addresses()
        with transaction() as session:
            service.finish_run(session, run_id, actor=actor or Actor("command", "letters"), now=clock.now())
            finished = print_job(session, run_id)
        manifest = press.write_manifest(finished or job) if isinstance(shelf, Folder) else None
    count = job.run.letter_count
    return PressReport(count, press.file_count, "".join(sorted(press.printer.replaced)), manifest)


def _check(job: PrintJob, keys: CodeKeys) -> None:
    if job.run.state == RunState.WITHDRAWN:
        raise Conflict(_("Deze brieven zijn ingetrokken. Begin opnieuw."))
    if job.key_fingerprint is not None and job.key_fingerprint != keys.fingerprint:
        raise Conflict(_("Deze vouchers zijn met een andere ABS_VOUCHER_KEY gemaakt. Zet die sleutel terug."))
    if len(job.voucher_ids) != job.run.letter_count:
        raise Conflict(
            _(
                "Er horen %(expected)s brieven te zijn, maar er zijn %(found)s vouchers. Trek deze brieven in en begin "
                "opnieuw.",
                expected=job.run.letter_count,
                found=len(job.voucher_ids),
            )
        )


@contextmanager
def _shelf(run_id: int, target: Path | None, keys: CodeKeys) -> Iterator[Shelf]:
    if target is None:
        yield SealedStore(current_app.extensions["file_store"], run_id, keys)
    else:
        with own_folder(target) as folder:
            yield folder


@dataclass(slots=True)
class _Sheet:
    """A file that is being set."""

    number: int
    name: str
    count: int
    first_postcode: str
    last_postcode: str
    process: subprocess.Popen[bytes]


class _Press:
    """One run on its way to one shelf."""

    def __init__(self, job: PrintJob, shelf: Shelf, keys: CodeKeys, on_progress: Callable[[int], None]) -> None:
        self.job, self.shelf, self.keys, self.on_progress = job, shelf, keys, on_progress
        self.content = LetterContent.load(job.content)
        self.sender = own_sender(current_app.extensions["settings"])
        self.qr = qr_press(self.sender.code_address)
        self.printer = Printer()
        self.issue = Issue(
            name=job.round_name,
            amount_cents=job.amount_cents,
            opens_on=local_date(job.opens_at),
            last_on=last_day(job.closes_at),
        )
        self.places = {
            area_id: Place(
                neighbourhood=name,
                district=district,
                help_point=job.help_points.get(str(district_id)),
                choices=job.choices.get(str(area_id), []),
            )
            for area_id, (name, district_id, district) in job.names.items()
        }
        ids, step = job.voucher_ids, job.letters_per_file
        self.parts = [ids[start : start + step] for start in range(0, len(ids), step)]

    @property
    def file_count(self) -> int:
        """How many files the run has: letters, and the one for the print house."""
        return len(self.parts) + 1

    def make_letters(self, workers: int) -> None:
        """Set the files of letters that are not there, a few at a time; the next is made ready while one is set."""
        missing = []
        for number, ids in enumerate(self.parts, start=1):
            if self._has(FileKind.LETTERS, number):
                self.on_progress(len(ids))
            else:
                missing.append((number, ids))
        if missing:
            self._check_texts()
        running: deque[_Sheet] = deque()
        try:
            for number, ids in missing:
                content, count, first, last = self._words(ids)
                if len(running) >= workers:
                    self._finish(running.popleft())
                name = self._name(FileKind.LETTERS, number)
                running.append(_Sheet(number, name, count, first, last, start(content)))
            while running:
                self._finish(running.popleft())
        finally:
            for sheet in running:
                sheet.process.kill()
                sheet.process.communicate()

    def make_addresses(self) -> None:
        """Write the print house's file: the same vouchers in the same order."""
        if self._has(FileKind.ADDRESSES, 1):
            return
        lines = io.BytesIO()
        run = self.job.run
        with transaction() as session:
            rows = print_file.read(session, run.round_id, run.batch_id, run.began_at)
            words = print_file.same_for_all(self.job.amount_cents, self.job.opens_at, self.job.closes_at)
            count, _sha256 = print_file.write(lines, rows, self.keys, words, None)
            first, last = (
                letters_of(session, ids)[0].postcode for ids in (self.job.voucher_ids[:1], self.job.voucher_ids[-1:])
            )
        self._place(FileKind.ADDRESSES, 1, count, (first, last), lines.getvalue())

    def write_manifest(self, job: PrintJob) -> str:
        """Put the list of all files beside them; returns its SHA-256. Always the same for the same run."""
        run = job.run
        files = [
            {
                "name": self._name(file.kind, file.number),
                "kind": file.kind.value,
                "count": file.letter_count,
                "bytes": file.byte_count,
                "sha256": file.sha256,
                "first_postcode": file.first_postcode,
                "last_postcode": file.last_postcode,
            }
            for file in run.files
        ]
        manifest = {
            "round": job.round_name,
            "batch": run.batch_id,
            "run": run.id,
            "text_version": job.text_version,
            "merkle_root": None if job.merkle_root is None else job.merkle_root.hex(),
            "letters": run.made_count,
            "bytes": sum(file.byte_count for file in run.files),
            "files": files,
        }
        data = json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"
        self.shelf.put(MANIFEST, FileKind.LETTERS, 0, data)
        return hashlib.sha256(data).hexdigest()

    def _name(self, kind: FileKind, number: int) -> str:
        return file_name(self.job.round_name, self.job.run.batch_id, kind, number)

    def _row(self, kind: FileKind, number: int) -> FileRow | None:
        return next((file for file in self.job.run.files if (file.kind, file.number) == (kind, number)), None)

    def _has(self, kind: FileKind, number: int) -> bool:
        row = self._row(kind, number)
        return row is not None and self.shelf.has(self._name(kind, number), row)

    def _check_texts(self) -> None:
        """Raises: Conflict when a text does not fit on the letter of one of the neighbourhoods."""
        specimens = [(place_id, _SPECIMEN_ADDRESS, _SPECIMEN_CODE) for place_id in self.places]
        process = start(
            as_json(
                self.content, self.sender, self.issue, self.places, specimens, qr=self.qr, printer=self.printer,
                is_checked=True,
            )
        )  # fmt: skip
        output(process, _("de proef"))

    def _words(self, ids: list[int]) -> tuple[str, int, str, str]:
        with transaction() as session:
            letters = letters_of(session, ids)
        sheets = []
        for letter in letters:
            if letter.street is None:
                raise Conflict(
                    _("Deze ronde is afgerond: van haar vouchers is niet meer bekend bij welk adres ze hoorden.")
                )
            if self.keys.digest(self.keys.payload(letter.nonce)) != letter.code_digest:
                raise Conflict(_("Deze vouchers zijn met een andere ABS_VOUCHER_KEY gemaakt. Zet die sleutel terug."))
            address = print_file.address_lines(letter.street, letter.house, letter.postcode, letter.city)
            sheets.append((letter.neighbourhood_id, address, self.keys.code(letter.nonce)))
        here = {place_id: self.places[place_id] for place_id in sorted({sheet[0] for sheet in sheets})}
        content = as_json(self.content, self.sender, self.issue, here, sheets, qr=self.qr, printer=self.printer)
        return content, len(letters), letters[0].postcode, letters[-1].postcode

    def _finish(self, sheet: _Sheet) -> None:
        data = output(sheet.process, sheet.name)
        self._place(FileKind.LETTERS, sheet.number, sheet.count, (sheet.first_postcode, sheet.last_postcode), data)
        self.on_progress(sheet.count)

    def _place(self, kind: FileKind, number: int, count: int, postcodes: tuple[str, str], data: bytes) -> None:
        sha256 = hashlib.sha256(data).hexdigest()
        before = self._row(kind, number)
        if before is not None and (before.sha256, before.letter_count) != (sha256, count):
            raise Conflict(service.differs(kind, number))
        store_key = self.shelf.put(self._name(kind, number), kind, number, data)
        with transaction() as session:
            service.add_file(
                session,
                LetterFile(
                    run_id=self.job.run.id,
                    kind=kind.value,
                    number=number,
                    letter_count=count,
                    byte_count=len(data),
                    sha256=sha256,
                    first_postcode=postcodes[0],
                    last_postcode=postcodes[1],
                    made_at=clock.now(),
                    store_key=store_key,
                ),
            )
