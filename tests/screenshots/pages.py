# SPDX-License-Identifier: EUPL-1.2
"""Which pages there are to look at, who looks at each, and where it stands in the demo."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.following.links import manage_token, stop_token
from abs_platform.site_texts.states import SitePage

VISITOR, RESIDENT, ORGANISER, FINISHER, WRITER = "visitor", "resident", "organiser", "finisher", "writer"
MANAGER, COORDINATOR, FINANCE, DESK = "district_manager", "coordinator", "finance", "desk"

# What an address below speaks of: the first, the newest or the fullest of its kind.
_FOUND = {
    "post": "SELECT id FROM news_posts WHERE publish_at <= now() AND withdrawn_at IS NULL "
    "ORDER BY picture_id NULLS LAST LIMIT 1",
    "item": "SELECT id FROM agenda_items WHERE state = 'published' AND starts_at > now() ORDER BY starts_at LIMIT 1",
    "cancelled_item": "SELECT id FROM agenda_items WHERE state = 'cancelled' LIMIT 1",
    "round": "SELECT id FROM rounds WHERE state = 'issued' LIMIT 1",
    "closed_round": "SELECT id FROM rounds WHERE state = 'closed' ORDER BY opens_at DESC LIMIT 1",
    "planned_round": "SELECT id FROM rounds WHERE state = 'planned' LIMIT 1",
    "gift": "SELECT reference FROM donations WHERE state = 'confirmed' ORDER BY id DESC LIMIT 1",
    "follower": "SELECT id FROM followers ORDER BY id LIMIT 1",
    "busy": "SELECT i.id FROM initiatives i JOIN question_posts q ON q.initiative_id = i.id "
    "WHERE i.state = 'published' GROUP BY i.id ORDER BY count(*) DESC LIMIT 1",
    "question": "SELECT id FROM question_posts ORDER BY id LIMIT 1",
    "need": "SELECT n.id FROM initiative_needs n JOIN initiatives i ON i.id = n.initiative_id "
    "WHERE i.state = 'published' ORDER BY n.id LIMIT 1",
    "needing": "SELECT i.id FROM initiative_needs n JOIN initiatives i ON i.id = n.initiative_id "
    "WHERE i.state = 'published' ORDER BY n.id LIMIT 1",
    "payout": "SELECT id FROM payouts WHERE state = 'confirmed' LIMIT 1",
    "batch": "SELECT max(id) FROM payout_batches",
    "statement": "SELECT max(id) FROM bank_statements",
    "booking": "SELECT max(id) FROM ledger_transactions",
    "task": "SELECT min(id) FROM finance_tasks",
    "entries": "SELECT max(id) FROM entry_batches",
    "objection": "SELECT min(id) FROM objections",
    "own_district": "SELECT d.area_id FROM desk_assignments d JOIN areas a ON a.id = d.area_id "
    "WHERE a.level = 'district' AND d.account_id = "
    "(SELECT account_id FROM staff_roles WHERE role = 'district_manager' AND ended_at IS NULL ORDER BY id LIMIT 1) "
    "ORDER BY d.id LIMIT 1",
    "letter": "SELECT max(id) FROM letter_texts",
    "household": "SELECT min(id) FROM households",
} | {
    state: f"SELECT i.id FROM initiatives i WHERE i.state = '{state}' "
    "ORDER BY (SELECT count(*) FROM pictures p WHERE p.initiative_id = i.id) DESC, i.id LIMIT 1"
    for state in (
        *("published", "funded", "in_progress", "realised", "expired", "stopped"),
        *("draft", "submitted", "changes_requested"),
    )
}
_INITIATOR = (
    "SELECT o.account_id FROM organisers o JOIN initiatives i ON i.id = o.initiative_id "
    "WHERE o.role = 'initiator' AND i.id = {}"
)
_STAFF = "SELECT account_id FROM staff_roles WHERE role = '{}' AND ended_at IS NULL ORDER BY id LIMIT 1"


@dataclass(frozen=True, slots=True)
class Sight:
    """One page to look at: the name of its files, where it is, who looks, and what is pressed before the picture."""

    name: str
    path: str
    who: str = VISITOR
    press: tuple[str, ...] = ()

    @property
    def is_of_staff(self) -> bool:
        """Whether it is in Dutch alone, and made for a desk."""
        return self.who in {MANAGER, COORDINATOR, FINANCE, DESK}


PUBLIC = {
    "home": "/",
    "nearby": "/dichtbij?buurt=groeneveld",
    "nearby-wrong": "/dichtbij?postcode=0000",
    "list": "/initiatieven",
    "list-2": "/initiatieven?pagina=2",
    "list-filtered": "/initiatieven?wijk=windmolenbroek&status=published&volgorde=bijna",
    "list-typing-error": "/initiatieven?zoek=speeltuin",
    "list-empty": "/initiatieven?zoek=een-woord-dat-nergens-staat",
    **{
        f"initiative-{state}": f"/initiatieven/{{{state}}}"
        for state in ("published", "funded", "in_progress", "realised", "expired", "stopped")
    },
    "initiative-busy": "/initiatieven/{busy}",
    "initiative-updates": "/initiatieven/{realised}/berichten",
    "initiative-questions": "/initiatieven/{busy}/vragen",
    "initiative-book": "/initiatieven/{realised}-x/kasboek",
    "initiative-money": "/initiatieven/{published}/geld",
    "districts": "/wijken",
    "district": "/wijken/windmolenbroek",
    "village": "/wijken/bornerbroek",
    "news": "/nieuws",
    "news-district": "/nieuws?wijk=windmolenbroek",
    "news-post": "/nieuws/{post}",
    "agenda": "/agenda",
    "agenda-item": "/agenda/{item}",
    "agenda-cancelled": "/agenda/{cancelled_item}",
    "follow": "/volgen?wat=gebied:windmolenbroek&wat=thema:green",
    "follow-none": "/volgen",
    "follow-asked": "/volgen/gevraagd",
    "follow-link": "/volgen/link",
    "follow-manage": "/volgen/beheer/{manage}",
    "follow-digest": "/volgen/beheer/{manage}/mail",
    "follow-stop": "/volgen/stoppen/{stop}",
    "figures": "/cijfers",
    "figures-round": "/cijfers/{closed_round}",
    "figures-year": "/cijfers/jaar/{year}",
    "book": "/kasboek",
    "book-flow": "/kasboek/waar-bleef-het-geld",
    "book-accounts": "/kasboek/rekeningen",
    "voucher": "/voucher",
    "voucher-scanned": "/v",
    "voucher-of-initiative": "/voucher?initiatief={published}",
    "voucher-receipt": "/giften/{gift}",
    "voucher-lost": "/voucher/nieuwe-brief",
    "voucher-where": "/voucher/waar",
    "sign-in": "/inloggen",
    **{f"text-{page.value}": f"/{page.value}" for page in SitePage},
    "text-questions-search": "/veelgestelde-vragen?zoek=kwijt",
    "offline": "/offline",
    "error-404": "/bestaat-niet",
    "error-404-initiative": "/initiatieven/999999",
}
PRESSED = (
    Sight("home-menu", "/", press=("header button[popovertarget=menu]:visible",)),
    Sight("list-filters-open", "/initiatieven", press=(".abs-finder__more summary",)),
)
_OWN, _END, _EDIT = (
    "/account/initiatieven/{published}",
    "/account/initiatieven/{in_progress}",
    "/initiatieven/{draft}/bewerken",
)
_WIZARD = ("idee", "plek", "verhaal", "fotos", "wie", "geld", "hulp", "wanneer", "regels", "controleren")
PERSONAL = {
    RESIDENT: {
        "account": "/account",
        "account-vouchers": "/account/vouchers",
        "account-following": "/account/volgen",
        "account-data": "/account/gegevens",
        "account-devices": "/account/apparaten",
        "account-address": "/account/adres",
        "account-help": "/account/hulp",
        "account-leave": "/account/verwijderen",
        "ask-question": "/initiatieven/{busy}/vragen/stellen",
        "offer-help": "/initiatieven/{needing}/hulp/{need}",
        "submit-begin": "/initiatieven/nieuw",
    },
    WRITER: {
        "submit-overview": _EDIT,
        **{f"submit-{step}": f"{_EDIT}/{step}" for step in _WIZARD},
        "submit-preview": "/initiatieven/{draft}/voorbeeld",
    },
    ORGANISER: {
        "organiser": _OWN,
        "organiser-updates": f"{_OWN}/berichten",
        "organiser-update-new": f"{_OWN}/berichten/nieuw",
        "organiser-paper": f"{_OWN}/papier",
        "organiser-boxes": f"{_OWN}/bussen",
        "organiser-activities": f"{_OWN}/activiteiten",
        "organiser-activity-new": f"{_OWN}/activiteiten/nieuw",
        "organiser-questions": f"{_OWN}/vragen",
        "organiser-help": f"{_OWN}/hulp",
    },
    FINISHER: {
        "finisher": _END,
        "finisher-payout": f"{_END}/uitbetaling",
        "finisher-account": f"{_END}/verantwoording",
        "finisher-account-costs": f"{_END}/verantwoording/kosten",
    },
}
DESKS = {
    MANAGER: {
        "desk": "/regie",
        "desk-initiatives": "/regie/initiatieven",
        "desk-initiative": "/regie/initiatieven/{submitted}",
        "desk-news": "/regie/nieuws",
        "desk-news-new": "/regie/nieuws/nieuw",
        "desk-agenda": "/regie/agenda",
        "desk-agenda-new": "/regie/agenda/nieuw",
        "desk-profile": "/regie/profiel",
        "desk-welcome": "/regie/wijk/{own_district}",
        "desk-questions": "/regie/vragen",
        "desk-objections": "/regie/bezwaren",
        "desk-paper": "/regie/papier",
        "desk-figures": "/regie/cijfers",
        "desk-absence": "/regie/afwezigheid",
    },
    COORDINATOR: {
        "office": "/beheer",
        "office-rounds": "/beheer/rondes",
        "office-round": "/beheer/rondes/{planned_round}",
        "office-round-figures": "/beheer/rondes/{round}/cijfers",
        "office-round-closing": "/beheer/rondes/{closed_round}/slot",
        "office-letters": "/beheer/rondes/{planned_round}/brieven",
        "office-letter-text": "/beheer/brief/{letter}",
        "office-texts": "/beheer/teksten",
        "office-text": "/beheer/teksten/over/nl",
        "office-profiles": "/beheer/profielen",
        "office-staff": "/beheer/gebruikers",
        "office-addresses": "/beheer/adressen",
        "office-address": "/beheer/adressen/{household}",
        "office-post": "/beheer/post",
        "office-rules": "/beheer/regels",
        "office-settings": "/beheer/instellingen",
        "office-help-points": "/beheer/wijkcentra",
        "office-jobs": "/beheer/taken",
        "office-log": "/beheer/logboek",
    },
    FINANCE: {
        "finance": "/financien",
        "finance-tasks": "/financien/taken",
        "finance-payouts": "/financien/uitbetalingen",
        "finance-payout": "/financien/uitbetalingen/{payout}",
        "finance-batches": "/financien/betaalopdrachten",
        "finance-batch": "/financien/betaalopdrachten/{batch}",
        "finance-statements": "/financien/afschriften",
        "finance-books": "/financien/boeken",
        "finance-transactions": "/financien/boeken/boekingen",
        "finance-unspent": "/financien/niet-besteed",
    },
    DESK: {"counter": "/balie"},
}


def sights(session: Session, secret_key: str, year: int) -> list[Sight]:
    """All pages, with their addresses in this demo; what this demo does not have is left out."""
    known = {name: session.scalar(text(query)) for name, query in _FOUND.items()}
    known["manage"] = manage_token(secret_key, known["follower"]) if known["follower"] else None
    known["stop"] = stop_token(secret_key, known["follower"]) if known["follower"] else None
    known["year"] = year
    known = {name: found for name, found in known.items() if found is not None}
    wanted = [Sight(name, path) for name, path in PUBLIC.items()]
    wanted += PRESSED
    wanted += [Sight(name, path, who) for who, pages in (PERSONAL | DESKS).items() for name, path in pages.items()]
    return [made for sight in wanted if (made := _placed(sight, known)) is not None]


def _placed(sight: Sight, known: dict[str, object]) -> Sight | None:
    try:
        return Sight(sight.name, sight.path.format(**known), sight.who, sight.press)
    except KeyError:
        return None


def account_ids(session: Session) -> dict[str, int | None]:
    """Who looks, in this demo."""
    initiators = {ORGANISER: "published", FINISHER: "in_progress", WRITER: "draft"}
    found = {who: session.scalar(text(_INITIATOR.format(f"({_FOUND[state]})"))) for who, state in initiators.items()}
    found |= {role: session.scalar(text(_STAFF.format(role))) for role in DESKS}
    found[RESIDENT] = session.scalar(
        text("SELECT account_id FROM kept_vouchers GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    )
    return found
