# SPDX-License-Identifier: EUPL-1.2
"""Codes from paper in a real browser: thirty at once, one by one, without network, with the camera; boxes and desk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count

import pytest
import segno
from playwright.sync_api import expect

from abs_platform.initiatives.models import Initiative
from abs_platform.paper.models import EntryBatch
from abs_platform.paper.service import batch_for, let_wait
from abs_platform.vouchers.codes import format_payload
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import look, manager, sign_in
from tests.browser.visitor import Visitor
from tests.factories import TEST_ACTOR
from tests.people import People

pytestmark = pytest.mark.browser

_serials = count(1)
# A camera that sees one QR code, and (where it is asked for) a phone that reads codes itself.
CAMERA = """
    const modules = %s;
    const draw = () => {
      const canvas = document.createElement("canvas");
      const [size, scale] = [modules.length, 8];
      canvas.width = canvas.height = (size + 16) * scale;
      const context = canvas.getContext("2d");
      const paint = () => {
        context.fillStyle = "white";
        context.fillRect(0, 0, canvas.width, canvas.height);
        context.fillStyle = "black";
        modules.forEach((row, y) => row.forEach((dark, x) => {
          if (dark) context.fillRect((x + 8) * scale, (y + 8) * scale, scale, scale);
        }));
      };
      paint();
      setInterval(paint, 50);
      return canvas.captureStream(20);
    };
    navigator.mediaDevices.getUserMedia = async () => draw();
"""
DETECTOR = """
    globalThis.BarcodeDetector = class {
      static async getSupportedFormats() { return ["qr_code"]; }
      async detect() { return [{ rawValue: %s }]; }
    };
"""
STORED = "() => Object.keys(localStorage).filter((key) => key.startsWith('abs-codes')).length"


@pytest.fixture
def people(town: Town) -> Iterator[People]:
    """The verbs write mails, which know the app."""
    with town.app.app_context():
        yield People(town.app, town.factory)


@pytest.fixture
def initiative(town: Town) -> Initiative:
    """It collects."""
    made = town.factory.initiative(title=f"Een pluktuin achter de Noorderkerk {next(_serials)}", target_cents=100_000)
    town.session.commit()
    return made


@pytest.fixture
def anna(town: Town, people: People, initiative: Initiative, visit: Callable[..., Visitor]) -> Visitor:
    """An organiser, on the page where codes are entered."""
    return sign_in(town, visit(), people.organiser_account(initiative))


def home(initiative: Initiative) -> str:
    return f"/account/initiatieven/{initiative.id}/papier"


def counted(visitor: Visitor, name: str, number: int) -> None:
    expect(visitor.page.locator(f"[data-entry-count-{name}]")).to_have_text(str(number))


def test_thirty_codes_are_pasted_and_the_five_bad_ones_come_back(
    town: Town, initiative: Initiative, anna: Visitor
) -> None:
    codes = [town.code() for _ in range(27)]
    used, stranger = codes[25:], format_payload(4_242)
    for code in used:
        assert town.factory.give(code, initiative)
    town.session.commit()
    mistyped = [codes[0][:-1], f"{codes[1][:-1]}U"]
    anna.codes += codes
    anna.goto(f"/account/initiatieven/{initiative.id}")
    anna.press(anna.page.get_by_role("link", name="Codes van papier"))
    anna.reads("Codes van papier invoeren")
    look(anna)

    anna.page.locator("#codes").fill("\n".join([*codes[:25], *used, *mistyped, stranger]))
    anna.press(anna.button("Voer alles in"))

    counted(anna, "given", 25)
    counted(anna, "other", 5)
    expect(anna.page.locator(".paper-answer")).to_have_count(5)
    expect(anna.page.locator("#codes")).to_have_value("\n".join(mistyped))
    expect(anna.page.locator("[data-entry-progress]")).to_contain_text("€ 202,50")
    assert anna.page.evaluate(STORED) == 0
    look(anna)
    anna.page.reload()
    anna.reads("Codes van papier invoeren")
    assert anna.page.locator("#codes").input_value() == ""
    assert not any(code in anna.page.content() for code in codes)


def test_codes_typed_without_network_wait_on_the_phone_and_go_when_it_is_back(
    town: Town, initiative: Initiative, anna: Visitor
) -> None:
    codes = [town.code() for _ in range(3)]
    anna.codes += codes
    anna.goto(home(initiative))
    one = anna.page.locator("#one")
    said = anna.page.locator("[data-entry-said]")

    one.fill(codes[0][:-1])
    one.press("Enter")
    expect(said).to_contain_text("Typfout")
    one.fill(codes[0])
    one.press("Enter")
    counted(anna, "given", 1)
    expect(one).to_be_focused()
    assert one.input_value() == ""

    anna.context.set_offline(True)
    for code in codes[1:]:
        one.fill(code)
        one.press("Enter")
    expect(anna.page.locator("[data-entry-queue-count]")).to_have_text("2")
    expect(anna.page.locator("[data-entry-trouble]")).to_contain_text("geen internet")
    assert town.gifts(codes[1]) == []
    look(anna)

    anna.context.set_offline(False)
    counted(anna, "given", 3)
    expect(anna.page.locator("[data-entry-queue]")).to_be_hidden()
    assert anna.page.evaluate(STORED) == 0
    assert [gift.channel for gift in town.gifts(codes[2])] == ["organiser"]


def test_codes_that_wait_can_be_wiped_from_the_phone(town: Town, initiative: Initiative, anna: Visitor) -> None:
    code = town.code()
    anna.goto(home(initiative))
    anna.context.set_offline(True)
    anna.page.locator("#one").fill(code)
    anna.page.locator("#one").press("Enter")
    expect(anna.page.locator("[data-entry-queue-count]")).to_have_text("1")

    anna.press(anna.button("Wis"))

    expect(anna.page.locator("[data-entry-queue]")).to_be_hidden()
    assert anna.page.evaluate(STORED) == 0
    anna.context.set_offline(False)
    anna.page.wait_for_timeout(100)
    assert town.gifts(code) == []


def test_the_phone_tells_a_code_from_a_typing_error_as_the_server_does(initiative: Initiative, anna: Visitor) -> None:
    good = [format_payload(number * 7_919_191_919) for number in range(200)]
    wrong = [code[1] + code[0] + code[2:] for code in good if code[0] != code[1]] + [code[:-1] for code in good]
    anna.goto(home(initiative))

    told = anna.page.evaluate(
        "async (codes) => codes.map((await import('/static/js/voucher-code.js')).isCode)", good + wrong
    )

    assert told == [True] * len(good) + [False] * len(wrong)


@pytest.mark.parametrize("reads_itself", [True, False], ids=["own detector", "vendored decoder"])
def test_the_camera_reads_the_code_of_a_letter(
    town: Town, initiative: Initiative, anna: Visitor, *, reads_itself: bool
) -> None:
    code = town.code()
    anna.codes.append(code)
    letter = f"https://voorbeeld.example/v#{code}"
    modules = [[int(dark) for dark in row] for row in segno.make_qr(letter, error="m").matrix]
    anna.page.add_init_script(CAMERA % json.dumps(modules))
    anna.page.add_init_script(DETECTOR % json.dumps(letter) if reads_itself else "delete globalThis.BarcodeDetector;")
    anna.goto(home(initiative))

    anna.press(anna.button("Scan met de camera"))

    counted(anna, "given", 1)
    look(anna)
    anna.press(anna.button("Stop de camera"))
    expect(anna.page.locator("video")).to_be_hidden()
    assert [gift.channel for gift in town.gifts(code)] == ["organiser"]


def test_a_box_gets_a_number_a_label_and_codes_of_its_own(
    town: Town, initiative: Initiative, anna: Visitor, visit: Callable[..., Visitor]
) -> None:
    anna.goto(f"/account/initiatieven/{initiative.id}/bussen")
    anna.page.locator("#place").fill("Bakkerij Bos")
    anna.page.locator("#address").fill("Marktplein 12")
    anna.press(anna.button("Meld de bus aan"))
    expect(anna.page.get_by_text("Print het label en plak het op de bus")).to_be_visible()
    look(anna)
    label = anna.page.get_by_role("link", name="Print het label").get_attribute("href")
    assert label
    number = label.split("/")[-2]
    assert anna.context.request.get(town.url + label).body().startswith(b"%PDF")

    passer_by = visit()
    passer_by.goto(f"/bus/{number}")
    passer_by.reads(f"Bus {number}")
    expect(passer_by.page.get_by_role("link", name="Voer codes uit deze bus in")).to_have_count(0)
    look(passer_by)

    anna.goto(f"/bus/{number}")
    anna.press(anna.page.get_by_role("link", name="Voer codes uit deze bus in"))
    expect(anna.page.get_by_text(f"Je voert in uit bus {number}, Bakkerij Bos.")).to_be_visible()


def test_the_wijkregisseur_refuses_a_large_batch(
    town: Town, people: People, initiative: Initiative, anna: Visitor, visit: Callable[..., Visitor]
) -> None:
    account = people.organiser_account(initiative)
    batch_id = batch_for(town.session, initiative.id, account.id, box_id=None, now=town.factory.now)
    batch = town.session.get_one(EntryBatch, batch_id)
    let_wait(town.session, batch, rules=town.factory.rules, actor=TEST_ACTOR, now=town.factory.now)
    town.session.commit()
    sanne = sign_in(town, visit(), manager(town))

    sanne.goto("/regie/papier")
    sanne.reads("Codes van papier")
    look(sanne)
    sanne.press(sanne.page.get_by_role("link", name=f"lijst {batch.reference}"))
    sanne.reads(f"Lijst {batch.reference}")
    look(sanne)
    sanne.page.locator("#reason").fill("Alles kwam uit één straat op één middag.")
    sanne.press(sanne.button("Keur af"))
    expect(sanne.page.get_by_text("De vouchers blijven van de huishoudens.")).to_be_visible()

    anna.goto(home(initiative))
    expect(anna.page.get_by_text("Alles kwam uit één straat op één middag.")).to_be_visible()
    look(anna)
