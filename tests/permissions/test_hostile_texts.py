# SPDX-License-Identifier: EUPL-1.2
"""Texts that want to be more than text: they stay what they are on every page, in every mail and in every log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from justhtml import JustHTML
from sqlalchemy import text
from werkzeug.test import TestResponse

from abs_platform.database import Base
from tests.page import Page, check
from tests.permissions.table import BY_TOKEN, TABLE, Entry, of
from tests.permissions.test_attacks import PLAIN_FORMS, first_of, forms, post
from tests.permissions.test_object_routes import entries, routes
from tests.permissions.town import ANONYMOUS, COORDINATOR, HELPER, INITIATOR, INVITATION, OWN, Town, filled

# Short enough for a name (80 characters).
SHORT = "Qz{{7*7}}\"'></textarea></title><script>a()</script><img src=x onerror=a()>"
LONG = (
    f"{SHORT}\n\n# {SHORT}\n\n- [klik](javascript:a()) [k](data:text/html,a) [k](vbscript:a) [k](//kwaad.example)\n"
    "- ![p](https://kwaad.example/p.png) <javascript:a()> <a href=javascript:a()>k</a>\n"
    '- [k](https://kwaad.example/" onclick="a()) [k](https://kwaad.example/ "x" onmouseover="a()")\n\n'
    "<iframe srcdoc='<script>a()</script>'></iframe><svg/onload=a()><math><style><!--</style><img src=x onerror=a()>\n"
    "${7*7} #{7*7} {%if 1%}49{%endif%} <%=7*7%> `a` https://kwaad.example/<script> [x]: javascript:a()"
)
# Where texts of people are kept, with room for the long one or the short one.
PLANTED: dict[str, dict[str, str]] = {
    "accounts": {"name": SHORT},
    "initiatives": {
        "title": SHORT,
        "summary": SHORT,
        "story": LONG,
        "place_description": SHORT,
        "audience": LONG[:500],
        "planning": LONG,
    },
    "organisers": {"name": SHORT},
    "budget_lines": {"description": SHORT},
    "initiative_needs": {"description": SHORT},
    "pictures": {"alt_text": SHORT},
    "initiative_updates": {"title": SHORT, "body": LONG},
    "question_posts": {"body": LONG},
    "question_reports": {"reason": LONG[:500]},
    "help_offers": {"need": SHORT, "note": LONG[:280]},
    "accountabilities": {"story": LONG, "remark": LONG},
    "accountability_costs": {"description": SHORT, "no_receipt_reason": SHORT},
    "accountability_receipts": {"file_name": SHORT},
    "desk_messages": {"text": LONG},
    "desk_notes": {"text": LONG},
    "decisions": {"reason": LONG, "mail_subject": SHORT, "mail_text": LONG},
    "decision_drafts": {"reason": LONG},
    "donations": {"giver_name": SHORT, "message": LONG[:280]},
    "events": {"reason": SHORT},
    "passkeys": {"name": SHORT},
    "news_posts": {"title": SHORT, "summary": SHORT, "body": LONG},
    "agenda_items": {"title": SHORT, "place": SHORT, "description": LONG},
    "staff_profiles": {"shown_name": SHORT, "phone": SHORT, "about": LONG[:900]},
    "help_points": {"name": SHORT, "address": SHORT, "opening_hours": SHORT},
    "site_pictures": {"alt_text": SHORT},
    "rule_questions": {"text": SHORT, "help": SHORT},
    "rule_advices": {
        "title": SHORT,
        "explanation": LONG[:600],
        "contact": SHORT,
        "legal_basis": SHORT,
        "cost_hint": SHORT,
        "checklist_text": SHORT,
    },
}


@pytest.fixture(scope="module")
def hostile(arranged: Town) -> Town:
    """The town, in which everybody wrote such a text into every field."""
    connection = arranged.connection
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # also what is never changed otherwise
    for table, columns in PLANTED.items():
        values = ", ".join(f"{column} = :{column}" for column in columns)
        # Decorative pictures have no text, and receipts none; what has no kind stays as it is.
        where = " WHERE purpose <> 'receipt'" if table == "pictures" else ""
        connection.execute(text(f"UPDATE {table} SET {values}{where}"), columns)
    for table in ("initiative_proposals", "initiative_revisions"):
        for key, content in connection.execute(text(f"SELECT ctid::text, content FROM {table}")).all():
            new = json.dumps(_poisoned(content))
            connection.execute(
                text(f"UPDATE {table} SET content = CAST(:new AS jsonb) WHERE ctid = CAST(:key AS tid)"),
                {"new": new, "key": key},
            )
    connection.execute(text("SET LOCAL session_replication_role = origin"))
    return arranged


_KEPT = {"theme", "area_id", "area_name", "deadline_on", "kind", "key", "answer", "rule_answers", "contact_kind"}
# What a script puts into a page that stands there already.
PARTS_OF_PAGES = {"work_desk.part"}


def _poisoned(content: Any, name: str = "") -> Any:
    if isinstance(content, dict):
        return {key: value if key in _KEPT else _poisoned(value, key) for key, value in content.items()}
    if isinstance(content, list):
        return [_poisoned(one, name) for one in content]
    if isinstance(content, str) and name:
        return LONG if name in {"story", "planning"} else SHORT
    return content


# -- looking ----------------------------------------------------------------------------------------------------------


def is_html(answer: TestResponse) -> bool:
    return answer.content_type.startswith("text/html")


def ensure_tame(html: str, where: str) -> None:
    """No element, attribute or address of the texts has come to life."""
    document = JustHTML(html, sanitize=False)
    for element in document.query("*"):
        attributes = element.attrs or {}
        assert not [name for name in attributes if name.startswith("on")], f"{where}: {element.name} {attributes}"
        assert element.name not in {"iframe", "math", "object", "embed", "base", "frame", "template"}, where
        assert not ({"srcdoc", "formaction"} & set(attributes)), f"{where}: {attributes}"
        for name in ("href", "src", "action", "data", "poster", "xlink:href"):
            address = re.sub(r"[\s\x00-\x1f]", "", str(attributes.get(name) or "")).lower()
            assert not address.startswith(("javascript:", "vbscript:", "data:text")), f"{where}: {name}={address}"
            assert name == "href" or "kwaad" not in address, f"{where}: {name}={address}"
            assert not address.startswith("//"), f"{where}: {name}={address}"
        if element.name == "script" and attributes.get("type") == "application/ld+json":
            assert "<" not in element.to_text(), f"{where}: data that could end itself"
            json.loads(element.to_text())
        elif element.name == "script":
            assert str(attributes.get("src", "")).startswith("/static/"), f"{where}: a script"
        if element.name == "a" and "kwaad" in str(attributes.get("href")):
            assert "noopener" in str(attributes.get("rel")).split(), f"{where}: {attributes}"
    assert "Qz49" not in html, f"{where}: a template ran"


def pages() -> Iterator[tuple[str, Entry]]:
    """Every page of the table, and the pages for all."""
    yield from entries()
    everybody = frozenset({ANONYMOUS})
    for name in ("published", "funded", "running", "realised", "theirs"):
        yield "initiatives.show", Entry(may=everybody, args=of(name, slug="x"))
    yield "questions.index", Entry(may=everybody, args=of("published"))
    yield "updates.public_index", Entry(may=everybody, args=of("published"))
    yield "news.show", Entry(may=everybody, args={"post_id": "{public_post}", "slug": "x"})
    yield "agenda.show", Entry(may=everybody, args={"item_id": "{public_item}", "slug": "x"})
    yield "donations.receipt", Entry(may=everybody, args={"reference": "{receipt_reference}"})
    yield "invitations.show", Entry(may=everybody, args={"token": INVITATION})
    for endpoint, who in (
        *(("pages.home", ANONYMOUS), ("initiatives.index", ANONYMOUS), ("vouchers.choose", ANONYMOUS)),
        *(("accounts.home", INITIATOR), ("accounts.data", INITIATOR), ("accounts.leave", INITIATOR)),
        *(("accounts.welcome", INITIATOR), ("accounts.address", INITIATOR), ("accounts.data", OWN)),
        *(("help_offers.mine", HELPER), ("desk.index", OWN), ("desk.initiatives", OWN), ("questions_regie.index", OWN)),
        *(("staff.index", COORDINATOR), ("rulebook.index", COORDINATOR), ("rulebook.preview", COORDINATOR)),
        *(("exceptions.index", COORDINATOR), ("staff.absence", OWN), ("second_factor.set_up", OWN)),
        *(("demo.people", ANONYMOUS), ("mail.index", ANONYMOUS), ("desk.initiatives", COORDINATOR)),
        *(
            ("news.index", ANONYMOUS),
            ("agenda.index", ANONYMOUS),
            ("news.feed", ANONYMOUS),
            ("agenda.calendar", ANONYMOUS),
        ),
        *(("districts.index", ANONYMOUS), ("profiles.index", COORDINATOR), ("agenda_regie.index", OWN)),
        *(("news_regie.index", OWN), ("map.points", ANONYMOUS)),
    ):
        yield endpoint, Entry(may=frozenset({who}))


def followed(town: Town, who: str, path: str) -> TestResponse:
    """A page, past one redirect to the address that counts."""
    answer = town.send(who, "GET", path)
    return town.send(who, "GET", answer.location) if answer.status_code in {301, 302, 303} else answer


def test_no_page_lets_a_text_be_more_than_text(hostile: Town, town: Town) -> None:
    seen = 0
    for endpoint, entry in pages():
        if routes(town.app)[endpoint] != {"GET"}:
            continue
        path = town.path(endpoint, **filled(entry.args, town.ids))
        for who in sorted(entry.may)[:3]:
            answer = followed(town, who, path)
            assert answer.status_code == 200, f"{endpoint}: {answer.status}"
            if answer.mimetype.endswith("xml"):
                ElementTree.fromstring(answer.data)  # noqa: S314 - our own
            if is_html(answer):
                html = answer.get_data(as_text=True)
                if endpoint not in PARTS_OF_PAGES:
                    check(Page(200, html, path, answer, JustHTML(html, collect_errors=True, sanitize=False)))
                ensure_tame(html, path)
                seen += "Qz{{7*7}}" in html

    assert seen > 60, f"such a text was on {seen} pages only"


def test_every_step_of_writing_shows_such_texts_as_text(hostile: Town, town: Town) -> None:
    for step in ("idee", "verhaal", "plek", "wie", "geld", "wanneer", "hulp", "regels", "fotos", "controleren"):
        for name in ("draft", "published"):
            path = f"/initiatieven/{town.ids[name]}/bewerken/{step}"
            answer = town.send(INITIATOR, "GET", path)
            assert answer.status_code == 200
            ensure_tame(answer.get_data(as_text=True), path)


def test_no_mail_lets_a_text_be_more_than_text(hostile: Town, town: Town) -> None:
    seen = {}
    for endpoint, entry in forms(town):
        with town.undone():
            last = town.connection.scalar(text("SELECT coalesce(max(id), 0) FROM outgoing_mails"))
            post(town, endpoint, entry, _with_texts(entry, town))
            query = text("SELECT id, event, subject, html_body, text_body FROM outgoing_mails WHERE id > :last")
            for mail_id, event, subject, html, plain in town.connection.execute(query, {"last": last}).all():
                kind = event.partition(":")[0]
                if kind in seen:
                    continue
                assert "\n" not in subject
                assert "Qz49" not in plain
                _ensure_tame_mail(html, f"mail {event}")
                page = town.send(ANONYMOUS, "GET", f"/demo/mail/{mail_id}").get_data(as_text=True)
                ensure_tame(page, f"the demo's page of {event}")
                seen[kind] = SHORT[:12] in plain

    assert len(seen) > 15, sorted(seen)
    assert sum(seen.values()) > 12, seen


def _ensure_tame_mail(html: str, where: str) -> None:
    assert not re.search(r"<(script|img|iframe|svg|math|textarea)\b", html, re.IGNORECASE), where
    document = JustHTML(html, sanitize=False)
    assert not document.query("script, img, iframe, svg, textarea"), where
    for element in document.query("*"):
        attributes = element.attrs or {}
        assert not [name for name in attributes if name.startswith("on")], f"{where}: {attributes}"
        address = str(attributes.get("href") or "").strip().lower()
        assert not address.startswith(("javascript:", "data:", "vbscript:", "//")), f"{where}: {address}"
    assert "Qz49" not in html, where


def of_table(town: Town) -> list[tuple[str, str, str, dict[str, Any]]]:
    """The forms of the table: endpoint, who, address and what is sent."""
    ids = town.ids
    return [
        (endpoint, first_of(entry), town.path(endpoint, **filled(entry.args, ids)), filled(entry.form, ids))
        for endpoint, entry in forms(town)
    ]


def _with_texts(entry: Entry, town: Town) -> dict[str, Any]:
    """The form of a route with such texts in the fields that people write in."""
    sent = filled(entry.form, town.ids)
    return (
        sent | {name: LONG[:500] for name in sent if name in WRITTEN} | {name: SHORT for name in sent if name in NAMES}
    )


WRITTEN = {"body", "reason", "message", "remark", "story", "note"}
NAMES = {"title", "invited_name", "name", "description", "alt_text"}


def test_a_form_that_comes_back_shows_such_texts_as_text(hostile: Town, town: Town) -> None:
    shown = 0
    tries = of_table(town)
    tries += [(path, who, path, dict(form)) for path, (who, form) in PLAIN_FORMS.items()]
    for endpoint, who, path, form in tries:
        names = [name for name, value in form.items() if isinstance(value, str)]
        with town.undone():
            answer = town.send(who, "POST", path, dict.fromkeys(names, SHORT * 100))
        assert answer.status_code < 500, endpoint
        if is_html(answer) and answer.status_code >= 400:
            html = answer.get_data(as_text=True)
            ensure_tame(html, endpoint)
            shown += "Qz{{7*7}}" in html

    assert shown > 15, f"{shown} forms came back with what was typed"


def test_a_text_that_turns_around_is_stored_nowhere(town: Town) -> None:
    turned = "Plan\u202enalp\u2066x\u200b"
    found = {}
    tries = of_table(town)
    tries += [(path, who, path, dict(form)) for path, (who, form) in PLAIN_FORMS.items() if who != ANONYMOUS]
    tries += [
        (step, INITIATOR, f"/initiatieven/{town.ids['draft']}/bewerken/{step}", form | {"version": "1"})
        for step, form in STEPS.items()
    ]
    for endpoint, who, path, form in tries:
        names = [name for name, value in form.items() if isinstance(value, str) and name in WRITTEN | NAMES | MORE]
        with town.undone():
            town.send(who, "POST", path, form | dict.fromkeys(names, turned))
            tables = [name for name, count in town.connection.execute(text(_TURNED)).all() if count]
        if tables:
            found[endpoint] = tables

    assert not found


STEPS: dict[str, dict[str, Any]] = {
    "idee": {"title": "x", "summary": "x", "theme": "green"},
    "verhaal": {"story": "x"},
    "plek": {"place_description": "x", "area_id": "", "latitude": "", "longitude": ""},
    "wie": {"audience": "x", "name": "x", "postcode": "7617ZX", "house_number": "1"},
    "geld": {"budget-1-description": "x", "budget-1-amount": "100"},
    "wanneer": {"planning": "x", "deadline_on": ""},
    "hulp": {"need-1-kind": "hands", "need-1-description": "x"},
}
MORE = {"summary", "place_description", "audience", "planning", "budget-1-description", "need-1-description", "text"}
MORE |= {"help", "explanation", "contact", "legal_basis", "cost_hint", "checklist_text", "no_receipt_reason"}
_TURNED = " UNION ALL ".join(
    f"SELECT '{name}', count(*) FROM \"{name}\" t WHERE t::text ~ '[\u202a-\u202e\u2066-\u2069\u200b]'"
    for name in sorted(Base.metadata.tables)
)


# -- addresses --------------------------------------------------------------------------------------------------------

ADDRESSES = [
    "a@b.example\r\nBcc: kwaad@kwaad.example",
    "a@b.example\nkwaad@kwaad.example",
    "a@b.example,kwaad@kwaad.example",
    "a@b.example kwaad@kwaad.example",
    "a@b.example;kwaad@kwaad.example",
    "<kwaad@kwaad.example>",
    '"Jan" <kwaad@kwaad.example>',
    "a@b.example\x00kwaad@kwaad.example",
    "a@b.example%0d%0aBcc:kwaad@kwaad.example",
    "a@b.example\u2028Bcc: kwaad@kwaad.example",
    "a@b.example\x0bkwaad@kwaad.example",
    "kwaad(a@b.example)@kwaad.example",
    "kwaad@[127.0.0.1]",
    "kwaad\\@kwaad.example",
    "@kwaad.example,kwaad:a@kwaad.example",
    "kwaad@kwaad.example>",
    "=?utf-8?q?kwaad?=@kwaad.example@",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_carries_another_one_or_a_header(town: Town, address: str) -> None:
    (invite,) = [entry for entry in TABLE["submitting.save_people"] if "invited_email" in entry.form]  # type: ignore[union-attr]
    for who, path, form in (
        (ANONYMOUS, "/inloggen", {"email": address}),
        (COORDINATOR, "/beheer/gebruikers/nieuw", {"email": address, "name": "Jan", "roles": "coordinator"}),
        (
            INITIATOR,
            town.path("submitting.save_people", **filled(invite.args, town.ids)),
            filled(invite.form, town.ids) | {"invited_email": address},
        ),
    ):
        with town.undone():
            answer = town.send(who, "POST", path, form)
            rows = town.connection.execute(text("SELECT recipient, reply_to FROM outgoing_mails")).all()
            accounts = town.connection.scalars(text("SELECT email FROM accounts WHERE email IS NOT NULL")).all()
            organisers = town.connection.scalars(text("SELECT email FROM organisers")).all()
        known = [one for row in rows for one in row if one] + accounts + organisers
        assert answer.status_code < 500
        assert not [one for one in known if not re.fullmatch(r"[!-+\--9=?A-~]+@[a-z0-9.-]+", one)], f"{path}: {known}"
        assert not [one for one in known if "kwaad" in one], path


def test_names_and_titles_with_line_ends_make_no_headers(town: Town) -> None:
    name = "Jan\r\nBcc: kwaad@kwaad.example\r\n\r\nHallo"
    for column, table in (("name", "accounts"), ("name", "organisers"), ("title", "initiatives")):
        town.connection.execute(text(f"UPDATE {table} SET {column} = :name"), {"name": name})
    for endpoint, entry in forms(town):
        with town.undone():
            post(town, endpoint, entry)
            for (subject,) in town.connection.execute(text("SELECT subject FROM outgoing_mails")):
                assert "\r" not in subject
                assert "\n" not in subject


@pytest.mark.parametrize("endpoint", sorted(BY_TOKEN))
def test_a_key_that_is_no_key_breaks_nothing(town: Town, endpoint: str) -> None:
    (method,) = routes(town.app)[endpoint]
    args = BY_TOKEN[endpoint]
    (name,) = [name for name in args if name in {"token", "reference", "key"}]
    for key in (
        "%00",
        "%0d%0aSet-Cookie:x=1",
        "%ff",
        "%F0%9F%98%80",
        "x" * 5_000,
        "..%2f..%2fetc",
        "{{7*7}}",
        "'",
        "%3Cscript%3E",
    ):
        path = town.path(endpoint, **args | {name: "0" * 32}).replace("0" * 32, key)
        answer = town.send(ANONYMOUS, method, path, {} if method == "POST" else None)
        assert answer.status_code in {200, 303, 404, 409}, f"{key}: {answer.status}"
        assert "Set-Cookie:x" not in str(answer.headers)
        if is_html(answer):
            ensure_tame(answer.get_data(as_text=True), path)
