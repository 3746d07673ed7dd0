# SPDX-License-Identifier: EUPL-1.2
"""Which texts only staff see: those are in Dutch. Everything else is translated."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from abs_platform.config import ROOT_DIR
from abs_platform.municipality import PACKAGE_DIR

KEYWORDS = {"_": None, "gettext": None, "_l": None, "lazy_gettext": None, "ngettext": (1, 2)}

STAFF = (
    # Pages of the desks, and the demo's own.
    *(
        f"templates/{folder}/*"
        for folder in (
            *("accounts/staff", "addresses_desk", "counter", "demo", "event_log", "finance", "help_points"),
            *("letters_desk", "mail", "rounds_desk", "rule_settings", "rulebook", "work"),
        )
    ),
    *(f"templates/components/{name}.html" for name in ("coordination", "desk", "finance", "work")),
    *("templates/moderation/[!c]*", "templates/pages/coordination.html", "templates/accountability/review.html"),
    *(f"templates/objections/{name}.html" for name in ("decide", "desk")),
    *(f"templates/paper/{name}.html" for name in ("desk", "desk_boxes")),
    *(
        f"templates/payouts/{name}.html"
        for name in (
            *("_no_account", "batch", "batches", "confirm", "finance_list", "finance_show"),
            *("statement", "statements", "unspent_list", "unspent_show"),
        )
    ),
    *(f"templates/questions/{name}.html" for name in ("reported", "review")),
    *(f"templates/replacements/{name}.html" for name in ("clear", "desk", "print", "scan")),
    *(f"templates/reports/{name}.html" for name in ("closing", "no_round", "round")),
    "templates/updates/hide.html",
    # Code behind them.
    *("abs_platform/*/routes_regie.py", "abs_platform/*/routes_beheer*.py", "abs_platform/*/routes_balie.py"),
    *(
        f"abs_platform/{folder}/*"
        for folder in (
            *("cli", "demo", "event_log", "finance", "households", "letters", "mail", "rule_settings", "rulebook"),
            *("work", "rounds"),
        )
    ),
    *(f"abs_platform/accounts/{name}.py" for name in ("absences", "routes_staff", "staff")),
    *(f"abs_platform/areas/{name}.py" for name in ("helping", "schemas", "service")),
    *("abs_platform/moderation/[!rs]*.py", "abs_platform/moderation/review.py", "abs_platform/moderation/routes.py"),
    *("abs_platform/moderation/routes_[!a]*.py", "abs_platform/moderation/service.py"),
    *("abs_platform/paper/counter.py", "abs_platform/pages/waiting.py", "abs_platform/reports/desk_queries.py"),
    *(
        f"abs_platform/payouts/{name}.py"
        for name in (
            *("approving", "batch_files", "batch_queries", "batches", "camt", "history", "returning", "sepa"),
            *("routes_batches", "routes_financien", "routes_statements", "routes_unspent", "statements"),
            *("warnings", "xml_files"),
        )
    ),
    "jobs/*",
)
# Mail is in Dutch, but for what answers somebody who asked for it on a page in another language.
DUTCH_MAIL = "templates/emails/*"
TRANSLATED_MAIL = tuple(
    f"templates/emails/{name}.*" for name in ("base", "parts", "sign_in", "gift_received", "digest", "follow_*")
)


def is_for_staff(place: str) -> bool:
    """Whether only staff see the texts of a file (a path from the root)."""
    if fnmatch(place, DUTCH_MAIL):
        return not any(fnmatch(place, pattern) for pattern in TRANSLATED_MAIL)
    return any(fnmatch(place, pattern) for pattern in STAFF)


def texts() -> dict[str | tuple[str, ...], set[str]]:
    """Every text of templates and code, with the files in which it stands."""
    with (PACKAGE_DIR / "translations" / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found: dict[str | tuple[str, ...], set[str]] = {}
    for place, _line, text, _comments, _context in extract_from_dir(ROOT_DIR, methods, options, KEYWORDS):
        if text:
            found.setdefault(tuple(text) if isinstance(text, tuple) else text, set()).add(Path(place).as_posix())
    return found


def catalogue(language: str) -> Catalog:
    """The catalogue of a language, as it is kept."""
    with (PACKAGE_DIR / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(language: str) -> Iterator[Message]:
    """What stands in the catalogue of a language."""
    return (message for message in catalogue(language) if message.id)
