# SPDX-License-Identifier: EUPL-1.2
"""The one list of what we keep of a person, from which it is shown and downloaded, with what becomes of it in the end.

A feature that keeps something of a person adds a line to PARTS, and to leaving.ERASERS what must go with the account. A
test walks all columns that point at an account, or hold an e-mail address, and fails on one that is not here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import Column, ColumnElement, Text, or_, select
from sqlalchemy.orm import Session

from abs_platform.clock import AMSTERDAM
from abs_platform.database import Base
from abs_platform.following.states import FollowKind
from abs_platform.help_offers.states import OfferState
from abs_platform.initiatives.states import OrganiserRole, OverridableRule, RevisionKind, Theme
from abs_platform.lives import LabelledEnum
from abs_platform.moderation.states import DecisionKind
from abs_platform.money import format_euros
from abs_platform.objections.states import ObjectionState
from abs_platform.paper.states import BatchState
from abs_platform.payments.states import PaymentState
from abs_platform.payouts.states import PayoutState
from abs_platform.site_texts.states import SitePage
from abs_platform.users import Role
from abs_platform.work.states import WorkKind


class Fate(Enum):
    """What becomes of it when the account is deleted."""

    GOES = "goes"
    GOES_IN_A_MONTH = "goes_in_a_month"
    STAYS_WITHOUT_NAME = "stays_without_name"


@dataclass(frozen=True, slots=True)
class Person:
    """Whose data it is. Some rows know the account, others only the e-mail address."""

    account_id: int
    email: str


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of thing that we keep: in which table, whose it is by which columns, and which columns are shown.

    A text column in ``whose`` holds an e-mail address, another one the number of an account. The initiative and the
    area that a row belongs to come along. ``is_long``: the page says how many there are, the download shows all.
    """

    label: LazyString
    table: str
    whose: tuple[str, ...]
    shows: tuple[str, ...]
    fate: Fate = Fate.STAYS_WITHOUT_NAME
    is_long: bool = False


_GOES, _MONTH = Fate.GOES, Fate.GOES_IN_A_MONTH
_SESSION = ("browser", "method", "started_at", "expires_at", "ended_at")
_ORGANISER = (
    *("role", "name", "email", "postcode", "house_number", "is_name_public"),
    *("invited_at", "confirmed_at", "declined_at", "address_verified_at"),
)
PARTS: tuple[Part, ...] = (
    Part(_l("Je account"), "accounts", ("id",), ("email", "name", "created_at"), _GOES),
    Part(
        _l("Je bevestigde adres"),
        "verified_addresses",
        ("account_id",),
        ("postcode", "house_number", "verified_at"),
        _GOES,
    ),
    Part(_l("Initiatieven die je organiseert"), "organisers", ("account_id", "email"), _ORGANISER),
    Part(
        _l("Wat je aan het schrijven bent"),
        "initiative_proposals",
        ("saved_by_id",),
        ("saved_at", "content"),
        is_long=True,
    ),
    Part(
        _l("Wat je hebt ingediend"),
        "initiative_revisions",
        ("made_by_id",),
        ("kind", "made_at", "content"),
        is_long=True,
    ),
    Part(_l("Giften waarbij je om nieuws vroeg"), "donations", ("giver_email",), ("given_at", "giver_name", "message")),
    Part(
        _l("Giften van geld waarvoor je een bewijs vroeg"),
        "payments",
        ("receipt_email",),
        ("created_at", "amount_cents", "state", "organisation_name"),
    ),
    Part(_l("Teruggekomen brieven die je boekte"), "returned_letters", ("account_id",), ("reason", "scanned_at")),
    Part(_l("Vouchers die je bewaart of bewaarde"), "kept_vouchers", ("account_id",), ("kept_at",), _GOES),
    Part(_l("Waar je bent ingelogd"), "account_sessions", ("account_id",), _SESSION, _MONTH),
    Part(
        _l("De weekmail die je krijgt"),
        "followers",
        ("email",),
        ("language", "asked_at", "confirmed_at", "told_until"),
        _GOES,
    ),
    Part(_l("Wat je volgt"), "follows", ("follower_id",), ("kind", "theme", "asked_at", "confirmed_at"), _GOES),
    Part(_l("Mails om in te loggen"), "sign_in_requests", ("email",), ("requested_at", "used_at"), _GOES),
    Part(
        _l("Mails aan jou"), "outgoing_mails", ("recipient",), ("subject", "queued_at", "sent_at"), _MONTH, is_long=True
    ),
    Part(_l("Je rollen bij de gemeente"), "staff_roles", ("account_id",), ("role", "granted_at", "ended_at")),
    Part(
        _l("Hoe bewoners je zien"), "staff_profiles", ("account_id",), ("shown_name", "email", "phone", "about"), _GOES
    ),
    Part(_l("Welkomstwoorden die je schreef"), "district_intros", ("changed_by_id",), ("body", "changed_at")),
    Part(_l("Je wijken"), "desk_assignments", ("account_id",), (), _GOES),
    Part(_l("Je afwezigheid"), "absences", ("account_id",), ("starts_on", "ends_on"), _GOES),
    Part(_l("Wanneer je iemand vervangt"), "absences", ("stand_in_id",), ("starts_on", "ends_on")),
    Part(_l("Initiatieven die je behandelt"), "initiatives", ("handler_id",), ()),
    Part(_l("Regels waarvan je bent afgeweken"), "rule_overrides", ("given_by_id",), ("rule", "reason", "given_at")),
    Part(_l("Je app voor inlogcodes"), "totp_devices", ("account_id",), ("added_at",), _GOES),
    Part(_l("Je toegangssleutels"), "passkeys", ("account_id",), ("name", "added_at", "used_at"), _GOES),
    Part(_l("Je herstelcodes"), "recovery_codes", ("account_id",), ("used_at",), _GOES),
    Part(_l("Je account bij de gemeente"), "oidc_identities", ("account_id",), ("issuer", "subject"), _GOES),
    Part(_l("Je foto's"), "pictures", ("uploaded_by_id",), ("alt_text", "created_at", "removed_at"), is_long=True),
    Part(
        _l("Je berichten aan de wijkregisseur of aan organisatoren"),
        "desk_messages",
        ("author_id",),
        ("text", "sent_at"),
    ),
    Part(_l("Berichten die je hebt afgehandeld"), "desk_messages", ("handled_by_id",), ("handled_at",)),
    Part(
        _l("Nieuws dat je schreef"),
        "news_posts",
        ("author_id",),
        ("title", "summary", "body", "publish_at"),
        is_long=True,
    ),
    Part(
        _l("Activiteiten die je op de agenda zette"),
        "agenda_items",
        ("author_id",),
        ("title", "description", "place", "starts_at", "ends_at"),
        is_long=True,
    ),
    Part(
        _l("Foto's die je voor de gemeente plaatste"), "site_pictures", ("uploaded_by_id",), ("alt_text", "created_at")
    ),
    Part(_l("Je notities"), "desk_notes", ("author_id",), ("text", "written_at")),
    Part(_l("Brieven die je schreef"), "letter_texts", ("made_by_id",), ("made_at", "note"), is_long=True),
    Part(_l("Brieven die je goedkeurde"), "letter_texts", ("approved_by_id",), ("approved_at",)),
    Part(_l("Teksten van de site die je schreef"), "site_text_versions", ("made_by_id",), ("page", "made_at", "note")),
    Part(_l("Je besluiten"), "decisions", ("decided_by_id",), ("kind", "reason", "decided_at")),
    Part(_l("Je besluiten die nog niet klaar zijn"), "decision_drafts", ("author_id",), ("kind", "reason", "saved_at")),
    Part(_l("Wat je hebt gecontroleerd"), "checklist_ticks", ("ticked_by_id",), ("key", "ticked_at"), is_long=True),
    Part(
        _l("Berichten die je schreef over een initiatief"),
        "initiative_updates",
        ("author_id",),
        ("title", "body", "posted_at"),
    ),
    Part(_l("Je dank aan de gevers"), "initiative_thanks", ("author_id",), ("body", "thanked_at")),
    Part(_l("Je vragen en antwoorden"), "question_posts", ("author_id",), ("body", "posted_at")),
    Part(_l("Wat je hebt verborgen"), "question_posts", ("hidden_by_id",), ("hidden_reason", "hidden_at")),
    Part(_l("Wat je hebt gemeld"), "question_reports", ("reporter_id",), ("reason", "reported_at")),
    Part(_l("Meldingen die je hebt afgehandeld"), "question_reports", ("settled_by_id",), ("settled_at",)),
    Part(_l("Hulp die je aanbood"), "help_offers", ("account_id",), ("note", "state", "offered_at")),
    Part(
        _l("Codes van papier die je invoerde, in aantallen"),
        "entry_batches",
        ("account_id",),
        ("reference", "began_at", "entered_count", "refused_count", "state"),
    ),
    Part(_l("Lijsten met codes waarover je besloot"), "entry_batches", ("decided_by_id",), ("reason", "decided_at")),
    Part(_l("Bezwaren waarover je besloot"), "objections", ("decided_by_id",), ("state", "reason", "decided_at")),
    Part(_l("Bussen die je neerzette"), "collection_boxes", ("account_id",), ("number", "place", "registered_at")),
    Part(_l("Hulp waarop je antwoordde"), "help_offers", ("answered_by_id",), ("answered_at",)),
    Part(_l("Verantwoordingen die je schreef"), "accountabilities", ("saved_by_id",), ("story", "saved_at")),
    Part(_l("Verantwoordingen die je beoordeelde"), "accountabilities", ("decided_by_id",), ("remark", "decided_at")),
    Part(
        _l("Uitbetalingen die je aanvroeg"),
        "payouts",
        ("requested_by_id",),
        ("holder_name", "iban_masked", "amount_cents", "state", "requested_at", "remark"),
    ),
    Part(_l("Uitbetalingen die je bevestigde"), "payouts", ("confirmed_by_id",), ("confirmed_at",)),
    Part(_l("Uitbetalingen die je goedkeurde"), "payouts", ("approved_by_id",), ("approved_at",)),
    Part(
        _l("Teruggestort geld dat je boekte"),
        "unspent_returns",
        ("booked_by_id",),
        ("received_on", "note", "booked_at"),
    ),
    Part(
        _l("Taken van financiën die je afhandelde"), "finance_tasks", ("settled_by_id",), ("settled_note", "settled_at")
    ),
    Part(_l("Betaalopdrachten die je maakte"), "payout_batches", ("made_by_id",), ("message_id", "made_at")),
    Part(_l("Betaalopdrachten die je vrijgaf"), "payout_batches", ("released_by_id",), ("message_id", "released_at")),
    Part(_l("Afschriften die je instuurde"), "bank_statements", ("uploaded_by_id",), ("statement_ids", "uploaded_at")),
    Part(_l("Lang werk dat je aanvroeg"), "work_orders", ("account_id",), ("kind", "asked_at", "ended_at")),
    Part(_l("Instellingen die je wijzigde"), "rule_changes", ("account_id",), ("reason", "changed_at")),
    Part(_l("Wat je hier deed"), "events", ("actor",), ("happened_at", "kind", "reason"), is_long=True),
)
LABELS: dict[str, LazyString] = {
    "about": _l("Over jou"),
    "added_at": _l("Toegevoegd op"),
    "address_verified_at": _l("Adres bevestigd op"),
    "alt_text": _l("Beschrijving"),
    "amount_cents": _l("Bedrag"),
    "answered_at": _l("Beantwoord op"),
    "approved_at": _l("Goedgekeurd op"),
    "area": _l("Gebied"),
    "asked_at": _l("Gevraagd op"),
    "began_at": _l("Begonnen op"),
    "body": _l("Bericht"),
    "booked_at": _l("Geboekt op"),
    "browser": _l("Browser"),
    "changed_at": _l("Gewijzigd op"),
    "confirmed_at": _l("Bevestigd op"),
    "content": _l("Inhoud"),
    "created_at": _l("Gemaakt op"),
    "decided_at": _l("Besloten op"),
    "declined_at": _l("Afgezegd op"),
    "description": _l("Uitleg"),
    "email": _l("E-mailadres"),
    "ended_at": _l("Gestopt op"),
    "ends_at": _l("Eindigt op"),
    "ends_on": _l("Tot en met"),
    "entered_count": _l("Goede codes"),
    "expires_at": _l("Geldig tot"),
    "given_at": _l("Gegeven op"),
    "giver_name": _l("Naam bij de gift"),
    "granted_at": _l("Gekregen op"),
    "handled_at": _l("Afgehandeld op"),
    "happened_at": _l("Wanneer"),
    "hidden_at": _l("Verborgen op"),
    "hidden_reason": _l("Waarom verborgen"),
    "holder_name": _l("Naam bij de rekening"),
    "house_number": _l("Huisnummer"),
    "iban_masked": _l("Rekening"),
    "initiative": _l("Initiatief"),
    "invited_at": _l("Gevraagd op"),
    "is_name_public": _l("Naam is zichtbaar"),
    "issuer": _l("Inlogdienst"),
    "kept_at": _l("Bewaard op"),
    "key": _l("Onderdeel"),
    "kind": _l("Soort"),
    "language": _l("Taal"),
    "made_at": _l("Gemaakt op"),
    "page": _l("Pagina"),
    "message": _l("Bericht"),
    "message_id": _l("Nummer"),
    "method": _l("Ingelogd met"),
    "name": _l("Naam"),
    "note": _l("Erbij geschreven"),
    "number": _l("Nummer"),
    "offered_at": _l("Aangeboden op"),
    "organisation_name": _l("Naam van de organisatie"),
    "phone": _l("Telefoon"),
    "place": _l("Plek"),
    "postcode": _l("Postcode"),
    "posted_at": _l("Geplaatst op"),
    "publish_at": _l("Te lezen vanaf"),
    "queued_at": _l("Gemaakt op"),
    "reason": _l("Reden"),
    "received_on": _l("Ontvangen op"),
    "reference": _l("Kenmerk"),
    "refused_count": _l("Codes die niet konden"),
    "registered_at": _l("Aangemeld op"),
    "released_at": _l("Vrijgegeven op"),
    "remark": _l("Wat er miste"),
    "removed_at": _l("Verwijderd op"),
    "reported_at": _l("Gemeld op"),
    "requested_at": _l("Gevraagd op"),
    "role": _l("Rol"),
    "rule": _l("Regel"),
    "saved_at": _l("Bewaard op"),
    "scanned_at": _l("Geboekt op"),
    "sent_at": _l("Verzonden op"),
    "settled_at": _l("Klaar op"),
    "settled_note": _l("Erbij geschreven"),
    "shown_name": _l("Naam op de site"),
    "started_at": _l("Ingelogd op"),
    "starts_at": _l("Begint op"),
    "starts_on": _l("Vanaf"),
    "state": _l("Stand"),
    "statement_ids": _l("Nummer bij de bank"),
    "story": _l("Verhaal"),
    "subject": _l("Onderwerp"),
    "summary": _l("In het kort"),
    "text": _l("Tekst"),
    "thanked_at": _l("Bedankt op"),
    "theme": _l("Thema"),
    "ticked_at": _l("Afgevinkt op"),
    "title": _l("Titel"),
    "told_until": _l("Bijgepraat tot"),
    "uploaded_at": _l("Ingestuurd op"),
    "used_at": _l("Gebruikt op"),
    "verified_at": _l("Bevestigd op"),
    "written_at": _l("Geschreven op"),
}

# Columns that hold names and codes, which read the same in every language; other texts are what people wrote.
NAMES = frozenset(
    {
        *("browser", "email", "giver_name", "holder_name", "house_number", "iban_masked", "issuer", "key", "language"),
        *("message_id", "name", "number", "organisation_name", "phone", "postcode", "reference", "shown_name"),
        *("statement_ids", "subject"),
    }
)


class SignInMethod(LabelledEnum):
    """How somebody signed in, in words."""

    EMAIL = "email", _l("een link in een mail")
    OIDC = "oidc", _l("het account bij de gemeente")


# Columns whose values have a word for people.
_WORDS: dict[str, type[LabelledEnum]] = {
    "account_sessions.method": SignInMethod,
    "decision_drafts.kind": DecisionKind,
    "decisions.kind": DecisionKind,
    "entry_batches.state": BatchState,
    "follows.kind": FollowKind,
    "follows.theme": Theme,
    "help_offers.state": OfferState,
    "initiative_revisions.kind": RevisionKind,
    "work_orders.kind": WorkKind,
    "objections.state": ObjectionState,
    "organisers.role": OrganiserRole,
    "payments.state": PaymentState,
    "payouts.state": PayoutState,
    "rule_overrides.rule": OverridableRule,
    "site_text_versions.page": SitePage,
    "staff_roles.role": Role,
}


def rows_of(session: Session, part: Part, person: Person) -> list[dict[str, Any]]:
    """What there is of one kind, in the order of the table: column and value."""
    tables = Base.metadata.tables
    table = tables[part.table]
    query = select().select_from(table).where(or_(*(_is_of(table.c[name], person) for name in part.whose)))
    for name, key in (("initiative", "initiative_id"), ("area", "area_id"), ("area", "neighbourhood_id")):
        if key in table.c:
            other = tables["initiatives" if name == "initiative" else "areas"]
            shown = other.c.title if name == "initiative" else other.c.name
            query = query.add_columns(shown.label(name)).outerjoin(other, other.c.id == table.c[key])
    query = query.add_columns(*(table.c[name] for name in part.shows))
    rows = session.execute(query.order_by(*table.primary_key.columns)).mappings()
    return [{name: _in_words(f"{part.table}.{name}", value) for name, value in row.items()} for row in rows]


def _in_words(column: str, value: Any) -> Any:
    if column.endswith("_cents"):
        return format_euros(value)
    return _WORDS[column](value) if column in _WORDS and value is not None else value


def _is_of(column: Column[Any], person: Person) -> ColumnElement[bool]:
    if column.name == "actor":  # Actor of users.User
        return column.in_([f"{kind}:{person.account_id}" for kind in ("organiser", "staff")])
    if column.name == "follower_id":  # knows neither account nor address, but who does
        followers = Base.metadata.tables["followers"]
        return column.in_(select(followers.c.id).where(followers.c.email == person.email))
    return column == (person.email if isinstance(column.type, Text) else person.account_id)


def all_data(session: Session, person: Person) -> list[tuple[Part, list[dict[str, Any]]]]:
    """Everything that we keep of a person, without the kinds of which there is nothing."""
    found = ((part, rows_of(session, part, person)) for part in PARTS)
    return [(part, rows) for part, rows in found if rows]


def as_download(data: list[tuple[Part, list[dict[str, Any]]]]) -> dict[str, list[dict[str, Any]]]:
    """The same as plain data for a JSON file, in words that its reader knows."""
    return {
        str(part.label): [{str(LABELS[name]): _plain(value) for name, value in row.items()} for row in rows]
        for part, rows in data
    }


def _plain(value: Any) -> Any:
    if isinstance(value, LabelledEnum):
        return value.label
    if isinstance(value, dt.datetime):
        return value.astimezone(AMSTERDAM).isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, dt.date) else value
