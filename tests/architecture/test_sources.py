# SPDX-License-Identifier: EUPL-1.2
"""The rooms of the house: the same files in each feature, one place that commits, nothing of one town in code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.architecture.source import PACKAGE_DIR, ROOT_DIR, features, modules, python_files

FILE_NAMES = {"__init__", "models", "states", "service", "queries", "schemas", "permissions", "routes"}
OTHER_FILES = {
    "initiatives/listing": "the public list: what is asked for, counted and put in order; too large for queries.py",
    "initiatives/browsing": "the page of the list: its address, its choices and how many each has",
    "initiatives/remembering": "what a large list counted last, kept for some seconds in each process",
    "initiatives/searching": "words, and what they stand for when they are found nowhere",
    "initiatives/mixing": "the fair mix: an order and nothing else, no row and no request",
    "initiatives/counting": "counting what was given and making the mix, which a job does",
    "initiatives/mapping": "where each initiative of the list stands on the map",
    "initiatives/routes_map": "what the map asks for, beside the pages",
    "areas/drawing": "the town as its municipality draws it: geometry of a file, no row and no request",
    "areas/shapes": "the measured shapes of the districts, for the map",
    "following/links": "the signed links of mails: numbers and signatures, no row and no request",
    "following/digests": "the weekly mail: a verb with its mail, beside those of following",
    "following/digest_queries": "what is new for a follower: a union over what pages show",
    "following/routes_managing": "the page of choices, beside asking for it",
    "agenda/desk_queries": "the agenda as its makers see it, beside what anyone may see",
    "agenda/calendars": "the agenda as an iCalendar file: no row and no request",
    "agenda/routes_regie": "the desk's screens of the agenda",
    "news/feeds": "news as an Atom feed: no row and no request",
    "news/routes_regie": "the desk's screens of news",
    "media/site_pictures": "the verbs and the read of pictures of the municipality, beside those of residents",
    "cashbook/totals": "what the public books add up to: sums, beside the movements of queries.py",
    "cashbook/lines": "the SQL of a movement, which pages, files and sums share",
    "cashbook/charts": "the picture of where the money went: figures and geometry, no row and no request",
    "cashbook/csv_files": "a book as a file for a spreadsheet",
    "households/sent_files": "address files in the file store, beside what is done with them",
    "households/applying": "looking at files and doing exactly that: a verb set of its own, above the import",
    "households/changing": "the verbs by hand: too many to stand in service.py",
    "households/merging_sql": "the statements of the import, beside what sends them",
    "households/routes_beheer": "the coordinator's addresses: there is no page for everybody",
    "households/routes_files": "the screens of sending files and taking them over",
    "reports/routes_beheer": "how a round goes and its closing report, for staff; routes.py is for everybody",
    "reports/district_queries": "what the page of a district tells in numbers",
    "reports/counting": "counting the figures of years anew: sums, people and days, for the job",
    "reports/years": "the kept figures of years as they may be shown",
    "reports/year_charts": "the pictures of years: geometry, no row and no request",
    "reports/routes_years": "the report of a year and its file, beside the rounds",
    "districts/poster": "a poster with a QR code: words in, a PDF out",
    "districts/routes_regie": "where staff say how they and their district are introduced",
    "initiatives/illustrations": "the pictures of initiatives without a photo: geometry, no row and no request",
    "initiatives/routes_illustrations": "the addresses of those pictures",
    "pages/totals": "what was given together, remembered for some seconds in each process",
    "pages/routes_app": "what makes the site an app: manifest, worker and the page without a network",
    "pages/theme_colours": "the colours of a theme that stand outside its style sheet",
    "reports/masking": "which small numbers stay hidden: sums only, no row and no request",
    "reports/publishing": "figures by area as they may be shown, which pages, files and desks share",
    "reports/proving": "the proof of a round: its seals made again, beside the reads of pages",
    "reports/desk_queries": "how a round goes for staff: curves, post, silent neighbourhoods",
    "reports/closing": "where every euro of a round is, from the books",
    "reports/charts": "the pictures of a round: geometry, no row and no request",
    "reports/csv_files": "figures as files for a spreadsheet",
    "ledger/invariants": "the proof of the books in SQL, a query for each invariant: too large for queries.py",
    "payments/telling": "the mails about gifts of money, which booking, refunding and reconciling send",
    "payments/stripe_adapter": "the one adapter of the port: asking Stripe, and its errors in our words",
    "payments/stripe_reading": "what Stripe tells in our words, beside asking it",
    "payments/booking": "what a checkout brought: the one verb behind webhook, release and reconciling",
    "payments/usual_booking": "what a checkout usually brought, for thousands of events: rule 1 of booking in SQL",
    "payments/paying": "the edge of paying: a transaction, the network, a transaction",
    "payments/refunding": "the verbs of asking for money back, between which anyone may die",
    "payments/refund_booking": "what a refund did: the one verb behind job, webhook and reconciling",
    "payments/disputing": "what a bank's claim did: the one verb behind webhook and reconciling",
    "payments/reconciling": "making our books equal to the provider's, beside the job that asks for them",
    "payments/open_things": "the reads of reconciling",
    "payments/standing": "where the money of a payment stands, which refunds and claims take away",
    "payments/suspense": "what nobody can explain yet, with its task",
    "ledger/reports": "the books over a month or a year, and every line of them",
    "ledger/browsing": "looking through the transactions, beside the proof of queries.py",
    "finance/waiting": "what waits at finance: one read over all that may wait",
    "finance/checking": "the edge of proving the books, which the job and a button share",
    "finance/export": "the books as a file for a spreadsheet",
    "finance/routes_books": "the books, beside the desk",
    "finance/settling": "settling a task, with what each way books",
    "payments/webhooks": "the edge of what the provider tells: an event and all it does, once",
    "payments/routes_webhook": "the address that the provider knows, beside the pages of givers",
    "donations/money": "the life of a gift of money: verbs that only payments calls",
    "payouts/approving": "the verbs of who checks a payout and of what the bank did, beside those of who asks for it",
    "payouts/warnings": "what stands beside the button of who decides about a payout",
    "payouts/paybacks": "the read of what was not spent, for finance and for the organisers",
    "payouts/returning": "booking what was not spent and came back",
    "payouts/telling": "the mails about payouts, which service and approving send",
    "payouts/sepa": "the file for the bank, in and out of bytes: no row and no request",
    "payouts/camt": "the bank's statement as plain lines: no row and no request",
    "payouts/xml_files": "XML of others, read without trust",
    "payouts/batches": "the verbs of a file for the bank: made, released, handed out, taken back",
    "payouts/batch_files": "the file of a batch: made of its payouts, sealed, and compared with them again",
    "payouts/batch_queries": "the reads of files for the bank and of statements",
    "payouts/statements": "the verb of taking in a bank statement: each line judged and applied",
    "payouts/routes_batches": "finance's screens of files for the bank",
    "payouts/routes_statements": "finance's screens of bank statements",
    "payouts/routes_regie": "the desk's screen",
    "payouts/routes_financien": "finance's screens of payouts",
    "payouts/routes_unspent": "finance's screens of what was not spent",
    "payments/port": "the seam with the outside world: what we ask of whoever takes payments",
    "initiatives/ending": "the ends that are told by mail, above service.py",
    "initiatives/subjects": "the read that permissions of every feature begin with",
    "initiatives/proposals": "the working copy of the organisers and its revisions: a verb set of its own",
    "initiatives/content": "what an initiative says as plain data: read, written back, compared",
    "initiatives/changing": "the verbs for what is published already: too many to stand in service.py",
    "initiatives/inviting": "the initiator asks others to carry it too: verbs of their own",
    "initiatives/answering": "the answers to an invitation, behind the link of a mail",
    "initiatives/steps": "the steps of the wizard: what each asks, and what is done",
    "initiatives/schemas_people": "names and addresses of organisers, beside the steps of the wizard",
    "initiatives/screens": "the read behind every screen of the wizard",
    "initiatives/routes_submitting": "the wizard",
    "initiatives/routes_sending": "the end of the wizard",
    "initiatives/routes_pictures": "the pictures of an initiative",
    "initiatives/sharing": "the picture beside a shared link: what it says and drawing it, without a request",
    "initiatives/routes_sharing": "what goes along when a page is shared, beside the page itself",
    "initiatives/structured_data": "what search engines read of a page: plain data, no row",
    "agenda/routes_organisers": "the activities of an initiative, for its organisers",
    "initiatives/routes_organisers": "who carries an initiative, and the pages behind the link of an invitation",
    "initiatives/showing": "what the page of one initiative shows, live or as a preview",
    "initiatives/submitting": "the verbs before an initiative is sent: too many to stand in service.py",
    "accounts/login": "the door between Flask-Login and our sessions",
    "accounts/second_factor": "the second step of staff: a verb set of its own",
    "accounts/app_codes": "the codes of an authenticator app and its sealed secret: no row, no request",
    "accounts/passkeys": "the verbs of WebAuthn",
    "accounts/challenges": "the question to a passkey, in the cookie between two requests",
    "accounts/oidc": "the seam with the outside world: the municipality's own sign-in, and the verb behind it",
    "accounts/staff": "roles and desks: a verb set of its own",
    "accounts/absences": "absence and stand-ins: a verb set of its own",
    "accounts/routes_second_factor": "giving a second step, beside signing in",
    "accounts/routes_set_up": "setting a second step up, beside giving it",
    "accounts/routes_oidc": "there and back to the municipality's own sign-in",
    "accounts/routes_staff": "the coordinator's users, and absence",
    "accounts/browsers": "what a User-Agent says, in two words",
    "accounts/own_data": "the one list of what we keep of a person",
    "accounts/leaving": "the verb of deleting an account, with what each feature takes away",
    "accounts/routes_account": "the pages of who is signed in, beside those of signing in",
    "accounts/verifying": "a verb with its guard against guessing, on the code of a letter",
    "initiatives/organisers": "organisers as people: recognised, verified and forgotten with their account",
    "accountability/deciding": "the verbs of the desk, beside those of who writes it",
    "accountability/routes_costs": "what it really cost, line by line, beside story and pictures",
    "accountability/routes_regie": "the desk's screen",
    "questions/routes_regie": "the desk's screen",
    "updates/routes_givers": "what givers get: thanks, all updates, and the link that stops the mails",
    "updates/routes_photos": "the pictures of an update",
    "updates/routes_regie": "the desk's screen",
    "updates/mailing": "mail to organisers and givers, which four features send",
    "households/address_fields": "what each field of an address must look like",
    "households/address_files": "the two published formats",
    "households/csv_files": "a CSV file of others, read with line and column",
    "households/merging": "the set-based part of an import",
    "mail/smtp": "the seam with the outside world: talking to a mail server",
    "media/images": "pictures made anew: no row, no store, no request",
    "media/keeping": "the half of a picture that is in the file store: no row and no transaction",
    "moderation/deciding": "the verb of deciding, with its draft: too large to stand in service.py",
    "moderation/diffs": "what changed in a text, word by word",
    "moderation/dossier": "the read of the one screen",
    "moderation/history": "a sentence for each kind of event",
    "payouts/history": "a sentence for each kind of event",
    "moderation/letters": "the mail of a decision, as shown and as sent",
    "moderation/promises": "until when an answer was promised",
    "moderation/queue": "what waits: a union of kinds with its filters and counts",
    "moderation/review": "what a desk looks at before it decides",
    "moderation/routes_account": "the organisers' side of the conversation",
    "moderation/routes_deciding": "deciding in two steps: too large to stand in routes.py",
    "moderation/routes_exceptions": "the coordinator's exceptions",
    "vouchers/giving": "the edge of giving, which page and API share",
    "paper/entering": "the verbs of a code from paper, beside the life of a batch",
    "paper/giving": "the edge of paper: a transaction for each code, which page, desk and job share",
    "objections/routes_regie": "the desk's screen",
    "paper/counter": "giving at the desk of a wijkcentrum, beside entering from paper",
    "paper/routes_balie": "the desk of a wijkcentrum: a screen that others share",
    "paper/box_queries": "the reads of collection boxes",
    "paper/labels": "the label of a box as a PDF: no row and no request",
    "paper/routes_boxes": "the pages of collection boxes",
    "paper/routes_regie": "paper at the desk of a wijkregisseur",
    "areas/helping": "the verbs of where residents get help, beside the loading of areas",
    "areas/routes_beheer": "the coordinator's pages",
    "letters/content": "the texts of a letter and their placeholders: no row and no request",
    "letters/choices": "which initiatives stand on the back of a letter",
    "letters/printing": "the reads of the press",
    "letters/press": "the edge that turns a run into files, a process for each",
    "letters/setting": "the process that sets a file, from outside",
    "letters/typesetter": "that process itself: a program that knows nothing of the app",
    "letters/sheets": "what stands on a letter, ready to print: no row and no request",
    "letters/qr": "the QR of a code as a path",
    "letters/specimen": "one letter to look at, and whether a text fits",
    "letters/filing": "where files of letters go: a folder, or sealed into the file store",
    "letters/writing": "the versions of the text, beside the verbs of a run",
    "letters/handing_over": "the end of a run: what must add up, and what is forgotten",
    "letters/desk_queries": "the reads of the coordinator's pages about letters",
    "letters/desk_files": "the files of a run as they are handed out: the file store, no row and no request",
    "letters/doubts": "what changed since letters were made: reads over what they show",
    "letters/routes_beheer_texts": "the coordinator's pages of the text",
    "letters/routes_beheer_runs": "the coordinator's pages of a round's letters",
    "pages/public_pages": "which initiatives have a page: a read for the list of all pages",
    "pages/routes_machines": "what machines read: robots, the list of pages, whom to tell of a leak",
    "pages/sitemap": "the list of all pages as XML: no row and no request",
    "site_texts/content": "a text as its page shows it: no row and no request",
    "site_texts/placeholders": "what a text leaves to be filled in, and what stands there now",
    "site_texts/searching": "looking for a question: no row and no request",
    "site_texts/routes_beheer": "the coordinator's pages of texts",
    "pages/waiting": "what waits at the coordinator: one read over all that may wait",
    "rounds/budgeting": "the year's budget: a verb and its sums",
    "rounds/changing": "the verbs on a plan of which nothing is out",
    "rounds/dry_run": "what issuing would do: a read as large as issuing itself",
    "rounds/ending": "the verbs that move the end of an open round, above vouchers",
    "rounds/planning": "what the planner begins with, and the calendar: no row is written",
    "rounds/readiness": "the check list, and the verb of releasing that obeys it",
    "rounds/routes_beheer": "the coordinator's rounds",
    "rounds/routes_steps": "the steps that cannot be taken back, beside the pages of rounds",
    "rounds/routes_ending": "the steps in two pages with exact figures",
    "rulebook/loading": "the file of a municipality, read and checked",
    "rulebook/routes_beheer": "the coordinator's pages",
    "replacements/returning": "the verbs of letters that came back, beside those of letters that never came",
    "replacements/routes_beheer": "the coordinator's screens",
    "vouchers/replacing": "a verb set-based over many vouchers: too large to stand in service.py",
    "vouchers/keeping": "the verbs of keeping in an account, with what is forgotten of it",
    "vouchers/routes_account": "the pages of who keeps vouchers, beside those of giving",
    "vouchers/merkle": "the seal of a batch: hashes, no row and no request",
    "work/handling": "what a handler of long work gets: the edge that writes down how far it is",
    "work/words": "the jobs of the timetable in words",
    "work/routes_jobs": "the timetable, beside the page of one piece of work",
    "rule_settings/in_force": "the numbers in force, kept for a few seconds in each process: it knows the app",
    "event_log/sentences": "a sentence for each kind of event, and what of its details is told",
    "event_log/export": "the log as a file for a spreadsheet",
    "vouchers/codes": "how a code is made, read and digested",
    "vouchers/issuing": "a verb with its COPY: too large to stand in service.py",
    "vouchers/print_file": "a verb with its file: too large to stand in service.py",
    "vouchers/redeeming": "a verb with its guard against guessing: too large to stand in service.py",
}
LONGEST_FILE = 300
LONG_FILES = {
    "abs_platform/accounts/own_data.py": "the one list of what we keep of a person",
    "abs_platform/moderation/queue.py": "every kind of what can wait, in one list",
    "abs_platform/embedded.py": "starting, sharing and stopping a server, whoever runs it: one subject",
}
COMMITS_IN = {"abs_platform.database"}
TEXT_FILES = {".py", ".html", ".css", ".js", ".toml", ".md", ".txt", ".lock", ".csv", ".svg", ".mako", ".cfg", ""}
ONE_TOWN = re.compile(r"almelo|\b(?:GM|WK|BU)0141", re.IGNORECASE)
ONE_TOWN_ALLOWED = {
    ("abs_platform/config.py", 'env.get("ABS_MUNICIPALITY", "almelo")'): "the setting's default",
}
# Spelled so that this file may be checked too.
MACHINE_PATH = re.compile(r"/(?:w[o]rk|h[o]me|r[o]ot|U[s]ers|t[m]p)/\w")


def relative(path: Path) -> str:
    return path.relative_to(ROOT_DIR).as_posix()


def text_files(*folders: str) -> list[Path]:
    """All text files of these folders, and those that stand in the root for "."."""
    found = []
    for folder in folders:
        paths = (ROOT_DIR / folder).rglob("*") if folder != "." else ROOT_DIR.iterdir()
        found += [path for path in paths if path.is_file() and path.suffix in TEXT_FILES]
    return sorted(path for path in found if "__pycache__" not in path.parts and not path.name.startswith("."))


def test_each_feature_has_the_files_that_the_others_have() -> None:
    strange = []
    for feature in features():
        for path in (PACKAGE_DIR / feature).iterdir():
            name = f"{feature}/{path.stem}"
            if path.suffix == ".py" and path.stem not in FILE_NAMES and name not in OTHER_FILES:
                strange.append(name)

    assert strange == []
    assert [name for name in OTHER_FILES if not (PACKAGE_DIR / f"{name}.py").exists()] == []


def test_a_file_that_would_be_empty_is_not_there() -> None:
    empty = [
        relative(path)
        for path in modules().values()
        if path.name != "__init__.py" and len(ast.parse(path.read_text()).body) < 2
    ]

    assert empty == []


def test_only_the_database_module_commits() -> None:
    committing = {
        name
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    }

    assert committing == COMMITS_IN


def test_services_and_queries_know_no_request_and_no_session_of_flask() -> None:
    knowing = []
    for name, path in modules().items():
        if name.rsplit(".", 1)[-1] not in {"service", "queries", "models", "states"}:
            continue
        source = path.read_text()
        if re.search(r"^from flask import|^import flask\b|\bdb\.session\b", source, re.MULTILINE):
            knowing.append(relative(path))

    assert knowing == []


def test_a_long_file_has_a_reason() -> None:
    lines = {relative(path): len(path.read_text().splitlines()) for path in modules().values()}
    long = {name for name, count in lines.items() if count > LONGEST_FILE}

    assert long - set(LONG_FILES) == set()
    assert set(LONG_FILES) - long == set(), "these are not long any more: take their reasons away"


def test_every_source_file_begins_with_its_licence() -> None:
    python = [*python_files("abs_platform", "jobs", "migrations", "tests", "bench"), ROOT_DIR / "wsgi.py"]
    scripts = [path for path in text_files("bin", ".ci") if path.read_text().startswith("#!")]
    without = [relative(path) for path in python if not _begins_with_licence(path, 0)]
    without += [relative(path) for path in scripts if not _begins_with_licence(path, 1)]

    assert scripts
    assert without == []


def _begins_with_licence(path: Path, line: int) -> bool:
    return path.read_text().splitlines()[line : line + 1] == ["# SPDX-License-Identifier: EUPL-1.2"]


def test_every_module_says_in_a_sentence_what_lives_there() -> None:
    silent = [
        relative(path)
        for path in python_files("abs_platform", "jobs", "migrations", "tests", "bench")
        if not (ast.get_docstring(ast.parse(path.read_text())) or "").strip()
    ]

    assert silent == []


def test_nothing_of_one_town_stands_in_code() -> None:
    found = []
    for path in text_files("abs_platform", "jobs", "migrations", "templates", "static", "bin"):
        name = relative(path)
        if name.startswith(("abs_platform/municipalities/", "static/themes/")):
            continue
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            allowed = any(name == file and text in line for file, text in ONE_TOWN_ALLOWED)
            if ONE_TOWN.search(line) and not allowed:
                found.append(f"{name}:{number}: {line.strip()}")

    assert found == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    folders = (".", "abs_platform", "jobs", "migrations", "templates", "static", "tests", "bench", "bin", "docs", ".ci")
    found = [
        f"{relative(path)}:{number}"
        for path in text_files(*folders)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]

    assert found == []
