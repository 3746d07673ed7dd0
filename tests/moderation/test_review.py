# SPDX-License-Identifier: EUPL-1.2
"""What a desk looks at: what changed word by word, similar initiatives, people and addresses, and the history."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import select, update

from abs_platform.config import ROOT_DIR
from abs_platform.help_offers.states import OfferState
from abs_platform.initiatives.models import Organiser
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.states import RevisionKind
from abs_platform.moderation import review
from abs_platform.moderation.diffs import MAX_WORDS, Piece, shortened, word_changes
from abs_platform.moderation.history import ELSEWHERE as NOT_IN_THE_LIST
from abs_platform.moderation.history import SENTENCES, TURNS
from tests.moderation.people import ELSEWHERE, Desk, Kind

DIFFS = [
    ("", "", []),
    ("zelfde", "zelfde", [Piece("same", "zelfde")]),
    ("", "nieuw", [Piece("in", "nieuw")]),
    ("weg", "", [Piece("out", "weg")]),
    (
        "We planten tien bomen.",
        "We planten twee bomen.",
        [Piece("same", "We planten "), Piece("out", "tien "), Piece("in", "twee "), Piece("same", "bomen.")],
    ),
    ("een\ntwee", "een\ndrie", [Piece("same", "een\n"), Piece("out", "twee"), Piece("in", "drie")]),
    (
        "Bomen: €\u00a0590\nKoffie: €\u00a010",
        "Bomen: €\u00a0700\nKoffie: €\u00a050",
        [
            Piece("same", "Bomen: "),
            Piece("out", "€\u00a0590"),
            Piece("in", "€\u00a0700"),
            Piece("same", "\nKoffie: "),
            Piece("out", "€\u00a010"),
            Piece("in", "€\u00a050"),
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "pieces"), DIFFS)
def test_a_change_is_shown_word_by_word(old: str, new: str, pieces: list[Piece]) -> None:
    assert word_changes(old, new) == pieces


@pytest.mark.parametrize(("old", "new", "_pieces"), DIFFS)
def test_the_pieces_put_together_are_the_old_and_the_new_text(old: str, new: str, _pieces: list[Piece]) -> None:
    pieces = word_changes(old, new)

    assert "".join(piece.text for piece in pieces if piece.op != "out") == new
    assert "".join(piece.text for piece in pieces if piece.op != "in") == old


def test_a_paragraph_that_is_very_long_is_shown_as_replaced() -> None:
    old, new = "a b " * MAX_WORDS, "b a c " * MAX_WORDS

    assert [piece.op for piece in word_changes(old, new)] == ["out", "in"]


def test_what_stayed_is_cut_down_to_what_stands_beside_a_change() -> None:
    before, after = ("".join(f"{name}{number} " for number in range(200)) for name in ("voor", "na"))

    pieces = shortened(word_changes(f"{before}oud {after}", f"{before}nieuw {after}"))

    assert [piece.op for piece in pieces] == ["same", "out", "in", "same"]
    assert all(len(piece.text) < 200 for piece in pieces)
    assert pieces[0].text.startswith("…")
    assert pieces[-1].text.endswith("…")


def test_a_second_sending_is_compared_with_what_lay_there_at_the_decision(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.decide(initiative, Kind.REQUEST_CHANGES, "Minder bomen graag.")
    session, now = desk.factory.session, desk.factory.now
    desk.keep_revision(initiative, now + dt.timedelta(minutes=1), summary="We planten samen drie bomen.")

    changes = review.changes_since(session, initiative)
    page = desk.as_(desk.sanne).get(f"/regie/initiatieven/{initiative.id}")

    assert changes is not None
    assert [shown.change.field for shown in changes.fields] == ["summary"]
    assert page.one("del").to_text().split() == ["Weg:", "tien", "Einde", "weg."]
    assert page.one("ins").to_text().split() == ["Nieuw:", "drie", "Einde", "nieuw."]


def test_nothing_is_compared_the_first_time_nor_when_nothing_is_new_since_the_decision(desk: Desk) -> None:
    initiative = desk.submitted()
    session = desk.factory.session
    assert review.changes_since(session, initiative) is None

    desk.decide(initiative, Kind.REQUEST_CHANGES)

    assert review.changes_since(session, initiative) is None


def test_small_changes_since_the_decision_add_up(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.decide(initiative, Kind.PUBLISH, "")
    later = desk.factory.now + dt.timedelta(minutes=1)
    desk.keep_revision(initiative, later, RevisionKind.EDITED, planning="In mei")
    desk.keep_revision(initiative, later, RevisionKind.EDITED, planning="In mei", audience="Iedereen")

    changes = review.changes_since(desk.factory.session, initiative)

    assert changes is not None
    assert [shown.change.field for shown in changes.fields] == ["audience", "planning"]
    assert not changes.waits


def test_a_change_that_waits_is_compared_with_what_is_live(desk: Desk) -> None:
    initiative = desk.initiative(State.PUBLISHED, title="Bomen")
    desk.send_change(initiative, title="Bomen en bankjes")

    page = desk.as_(desk.sanne).get(f"/regie/initiatieven/{initiative.id}")

    assert "Het staat nog niet online." in page.one("#veranderd").to_text()
    assert "gevers rekenden hierop" in page.text
    assert "en bankjes" in page.one("ins").to_text()


def test_similar_are_those_of_the_district_that_share_words_the_nearest_first(desk: Desk) -> None:
    def made(title: str, summary: str, area: str = "BU01411901", state: State = State.REALISED) -> None:
        other = desk.factory.initiative(state, title=title, area=area, target_cents=6_000)
        other.summary = summary
        desk.factory.session.flush()

    initiative = desk.submitted(title="Moestuin achter de school")
    initiative.summary = "Samen groente kweken."
    made("Moestuin bij de school", "Groente kweken met kinderen.")
    made("Moestuin in onze buurt bij de school", "Samen groente kweken.", "BU01411900", State.REJECTED)
    made("Groente kweken achter de school", "Een moestuin.", ELSEWHERE)
    made("Moestuin voor de stad achter een school", "Groente kweken.", "GM0141", State.PUBLISHED)
    made("Wandelclub", "Elke week lopen.")
    made("Moestuin op school", "Groente kweken.", state=State.DRAFT)
    desk.factory.session.flush()

    similar = [one.title for one in review.similar_to(desk.factory.session, initiative)]

    assert similar[0] == "Moestuin in onze buurt bij de school"
    assert set(similar) == {
        "Moestuin in onze buurt bij de school",
        "Moestuin bij de school",
        "Moestuin voor de stad achter een school",
    }


@pytest.mark.parametrize("title", ["Tom's tuin", "Rock \\ roll", "& | ! ( ) : *", "的 花园", "de het een"])
def test_any_title_can_be_compared(desk: Desk, title: str) -> None:
    initiative = desk.submitted(title=title)
    desk.factory.initiative(State.PUBLISHED, title=title)

    assert review.similar_to(desk.factory.session, initiative) is not None


def test_people_are_shown_with_what_is_known_of_their_address(desk: Desk) -> None:
    initiative = desk.submitted()
    session, now = desk.factory.session, desk.factory.now
    people = select(Organiser).where(Organiser.initiative_id == initiative.id).order_by(Organiser.id)
    anna, _bram, cem = session.scalars(people).all()
    anna.address_verified_at = now
    cem.confirmed_at = None
    session.execute(update(Organiser).where(Organiser.name == "Bram").values(house_number="1"))
    session.flush()

    text = desk.as_(desk.sanne).get(f"/regie/initiatieven/{initiative.id}").one("#mensen").to_text()

    words = " ".join(text.split())
    assert "1 verschillend adres 3 nodig" in words
    assert re.search(r"Anna initiatiefnemer Adres bewezen met brief", words)
    assert re.search(r"Bram medeorganisator Adres opgegeven", words)
    assert re.search(r"Cem medeorganisator Nog niet bevestigd", words)


def test_the_history_names_who_did_it(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.decide(initiative, Kind.REQUEST_CHANGES, "Minder bomen graag.")

    text = desk.as_(desk.els).get(f"/regie/initiatieven/{initiative.id}").one("#geschiedenis").to_text()

    assert "Sanne de Boer vroeg om een aanpassing." in text
    assert "Minder bomen graag." in text


def test_every_kind_of_event_of_an_initiative_has_a_sentence() -> None:
    kinds = set()
    for path in (*(ROOT_DIR / "abs_platform").rglob("*.py"), *(ROOT_DIR / "jobs").rglob("*.py")):
        kinds |= set(re.findall(r'"(initiative\.[a-z_]+)"', path.read_text()))
    kinds |= {f"initiative.{state.value}" for state in State} - {"initiative.draft"}
    kinds |= {f"initiative.help_{state.value}" for state in OfferState}
    kinds |= {f"initiative.picture_{verb}" for verb in ("added", "described", "removed")}
    kinds |= {f"initiative.update_{verb}" for verb in ("begun", "edited", "posted", "removed", "hidden")}

    assert {kind for kind in kinds if kind not in SENTENCES} == set()
    assert set(SENTENCES) >= TURNS | NOT_IN_THE_LIST
