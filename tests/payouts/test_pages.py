# SPDX-License-Identifier: EUPL-1.2
"""The pages of a payout: three people, one after another; and the account number is whole in two places only."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from abs_platform import database
from abs_platform.events import Event
from abs_platform.finance.models import BooksCheck
from abs_platform.initiatives.models import Initiative
from abs_platform.payment_settings import BankAccount
from abs_platform.payouts.models import Payout
from abs_platform.payouts.states import PayoutState
from tests.accountability.accounts import fetch
from tests.page import Browser, Page
from tests.payouts.test_warnings import realised
from tests.payouts.three_people import GERMAN_IBAN, IBAN, MASKED, Paying

__all__ = ["realised"]
S = PayoutState
TYPED = {"iban": "NL91 ABNA 0417 1643 00", "holder_name": "Stichting Noorderplein", "holder_kind": "organisation"}
SPACED = "NL91 ABNA 0417 1643 00"
DESK, FINANCE = "/regie/uitbetaling", "/financien/uitbetalingen"


def own(initiative: Initiative, *parts: str) -> str:
    """A page of the initiator."""
    return "/".join((f"/account/initiatieven/{initiative.id}/uitbetaling", *parts))


def payout_of(paying: Paying, initiative: Initiative) -> Payout:
    """The last payout as the database has it now."""
    session = paying.factory.session
    session.expire_all()
    query = select(Payout).where(Payout.initiative_id == initiative.id).order_by(Payout.id.desc()).limit(1)
    return session.scalars(query).one()


def plain(page: Page) -> str:
    """The text with plain spaces."""
    return page.text.replace("\u00a0", " ")


def test_three_people_one_after_another(paying: Paying) -> None:
    initiative = paying.initiative(title="Bomen voor het Noorderplein")
    anna = paying.people.browser(paying.anna(initiative))
    sanne, frits = paying.people.browser(paying.sanne), paying.people.browser(paying.frits)

    home = anna.get(f"/account/initiatieven/{initiative.id}")
    assert any(link.attrs["href"] == own(initiative) for link in home.all("a.utrecht-button--primary-action"))
    assert "Er staat € 52,50 klaar" in plain(anna.get(own(initiative)))
    page = anna.get(own(initiative, "aanvragen"))
    assert page.field("amount") == "52,50"
    shown = anna.submit(page, own(initiative, "aanvragen"), **TYPED)
    assert MASKED in shown.text
    payout = payout_of(paying, initiative)

    waiting = sanne.get("/regie")
    assert waiting.all(f'a[href="{DESK}/{initiative.id}"]')
    page = sanne.get(f"{DESK}/{initiative.id}")
    assert MASKED in page.text
    assert "pas" in page.one(".fin-warnings").to_text()  # the account is of today
    whole = sanne.post(f"{DESK}/{initiative.id}/rekeningnummer", {"csrf_token": page.field("csrf_token")})
    assert whole.one(".pay-iban").to_text() == SPACED
    confirmed = sanne.submit(whole, f"{DESK}/{initiative.id}")
    assert "Bevestigd." in confirmed.text
    assert not confirmed.all('button[type="submit"]')

    listed = frits.get(FINANCE)
    assert listed.all(f'a[href="{FINANCE}/{payout.id}"]')
    page = frits.get(f"{FINANCE}/{payout.id}")
    whole = frits.post(f"{FINANCE}/{payout.id}/rekeningnummer", {"csrf_token": page.field("csrf_token")})
    assert SPACED in whole.text
    approved = frits.submit(whole, f"{FINANCE}/{payout.id}")
    assert "Goedgekeurd." in approved.text
    assert SPACED not in approved.html

    payout = payout_of(paying, initiative)
    assert (payout.state, payout.confirmed_by_id, payout.approved_by_id) == (
        S.APPROVED,
        paying.sanne.id,
        paying.frits.id,
    )
    assert paying.kinds("payout", payout.id) == [
        *("requested", "iban_shown", "confirmed", "iban_shown", "approved"),
    ]
    assert "goedgekeurd" in anna.get(own(initiative)).text
    history = paying.people.browser(paying.tom).get(f"/regie/initiatieven/{initiative.id}").text
    assert "Frits Vos keurde de uitbetaling goed." in history
    assert "Sanne de Boer bekeek het hele rekeningnummer." in history


def test_what_is_missing_comes_back_and_is_corrected_and_starts_over(paying: Paying) -> None:
    initiative = paying.initiative()
    paying.confirmed(initiative)
    payout = payout_of(paying, initiative)
    frits, anna = paying.people.browser(paying.frits), paying.people.browser(paying.anna(initiative))
    page, path = frits.get(f"{FINANCE}/{payout.id}"), f"{FINANCE}/{payout.id}"
    back = {"csrf_token": page.field("csrf_token"), "version": "1", "decision": "return"}

    assert frits.post(path, back | {"remark": ""}, status=422).one("#remark-error")
    refused = frits.post(path, back | {"remark": f"Klopt {IBAN} wel?"}, status=422)
    assert "Noem hier geen rekeningnummer" in refused.one("#remark-error").to_text()
    frits.post(path, back | {"remark": "De naam klopt niet."})

    assert "De naam klopt niet." in anna.get(own(initiative)).text
    page = anna.get(own(initiative, "wijzigen"))
    assert page.field("iban") == ""
    assert MASKED in page.text
    changes = {"holder_name": "Vereniging Noord", "holder_kind": "organisation"}
    late = anna.submit(page, own(initiative, "wijzigen"), status=409, version="7", **changes)
    assert "intussen veranderd" in late.text
    anna.submit(late, own(initiative, "wijzigen"), holder_kind="organisation")

    payout = payout_of(paying, initiative)
    assert (payout.state, payout.version, payout.confirmed_by_id) == (S.REQUESTED, 2, None)
    assert payout.holder_name == "Vereniging Noord"
    assert "Vereniging Noord" in paying.people.browser(paying.sanne).get(f"{DESK}/{initiative.id}").text


def test_who_looked_at_what_changed_since_is_told_and_nothing_happens(paying: Paying) -> None:
    initiative = paying.initiative()
    payout = paying.requested(initiative)
    sanne = paying.people.browser(paying.sanne)
    page = sanne.get(f"{DESK}/{initiative.id}")
    paying.correct(payout, holder_name="Iemand anders")
    paying.factory.session.commit()

    told = sanne.submit(page, f"{DESK}/{initiative.id}", status=409)

    assert "De initiatiefnemer heeft de gegevens intussen veranderd." in told.text
    assert "Iemand anders" in told.text
    assert payout_of(paying, initiative).state == S.REQUESTED


def test_a_form_with_mistakes_comes_back_filled_in(paying: Paying) -> None:
    initiative = paying.initiative()
    anna = paying.people.browser(paying.anna(initiative))
    page = anna.get(own(initiative, "aanvragen"))

    wrong = TYPED | {"iban": "NL91 ABNA 0417 1643 01", "amount": "100"}
    refused = anna.submit(page, own(initiative, "aanvragen"), status=422, **wrong)

    assert "Er zit een typefout in" in refused.one("#iban-error").to_text()
    assert refused.field("holder_name") == TYPED["holder_name"]
    assert refused.field("iban") == wrong["iban"]
    refused = anna.submit(refused, own(initiative, "aanvragen"), status=422, iban=IBAN, holder_kind="person")
    assert "tot en met € 52,50" in refused.one("#amount-error").to_text().replace("\u00a0", " ")
    assert paying.factory.session.scalar(text("SELECT count(*) FROM payouts")) == 0


def test_all_mistakes_are_told_at_once_in_the_order_of_the_form(
    paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    initiative = paying.initiative()
    account = BankAccount(iban=GERMAN_IBAN, holder="Gemeente Voorbeeld")
    settings = dataclasses.replace(paying.app.extensions["settings"], bank_account=account)
    monkeypatch.setitem(paying.app.extensions, "settings", settings)
    anna = paying.people.browser(paying.anna(initiative))
    page = anna.get(own(initiative, "aanvragen"))

    for iban, sentence in (
        ("", "Vul het rekeningnummer in."),
        (GERMAN_IBAN, "Dit is de rekening van de gemeente zelf."),
    ):
        refused = anna.submit(page, own(initiative, "aanvragen"), status=422, iban=iban, holder_name="1")
        told = [one.to_text().strip() for one in refused.all(".abs-error-summary__link")]
        assert told[0].startswith(sentence)
        assert told[1:] == ["Vul de naam in die bij de rekening hoort.", "Kies van wie de rekening is."]


def test_asking_twice_is_told_and_the_form_leads_on(paying: Paying) -> None:
    initiative = paying.initiative()
    anna = paying.people.browser(paying.anna(initiative))
    page = anna.get(own(initiative, "aanvragen"))
    anna.submit(page, own(initiative, "aanvragen"), **TYPED)

    again = anna.submit(page, own(initiative, "aanvragen"), status=409, **TYPED)

    assert "Er loopt al een uitbetaling" in again.text
    assert "Waar is het geld?" in anna.get(own(initiative, "aanvragen")).text
    taken = anna.submit(anna.get(own(initiative)), own(initiative, "intrekken"))
    assert "ingetrokken" in taken.text
    assert taken.all(f'a[href="{own(initiative, "aanvragen")}"]')


def test_a_co_organiser_sees_where_the_money_is_and_nothing_of_the_account(paying: Paying) -> None:
    initiative = paying.initiative()
    paying.requested(initiative)
    bram = paying.people.organiser(initiative, 1)

    page = bram.get(own(initiative))

    assert "De wijkregisseur bekijkt de aanvraag" in page.text
    assert "4300" not in page.html
    assert "Stichting" not in page.text
    for part in ("aanvragen", "wijzigen"):
        bram.get(own(initiative, part), status=404)


def test_broken_books_are_said_instead_of_the_button(paying: Paying) -> None:
    initiative = paying.initiative()
    payout = paying.confirmed(initiative)
    paying.factory.session.add(BooksCheck(checked_at=paying.factory.now, breach_count=2))
    frits = paying.people.browser(paying.frits)

    page = frits.get(f"{FINANCE}/{payout.id}")

    assert "De boeken kloppen niet." in page.text
    assert not page.all('input[name="decision"][value="approve"]')
    sent = {"csrf_token": page.field("csrf_token"), "version": "1", "decision": "approve"}
    assert "De boeken kloppen niet" in frits.post(f"{FINANCE}/{payout.id}", sent, status=409).text


def test_finance_settles_by_hand_what_is_at_the_bank(paying: Paying) -> None:
    initiative = paying.initiative()
    payout = paying.exported(initiative)
    fatou, path = paying.people.browser(paying.fatou), f"{FINANCE}/{payout.id}"

    refused = fatou.submit(fatou.get(path), f"{path}/betaald", status=422, paid_note="")
    assert refused.one("#paid_note-error")
    paid = fatou.submit(refused, f"{path}/betaald", paid_note="Gezien bij de bank.")
    assert "Geboekt als betaald." in paid.text
    assert "Het geld is betaald" in paying.people.browser(paying.anna(initiative)).get(own(initiative)).text
    bounced = fatou.submit(paid, f"{path}/teruggekomen", bounce_reason="Rekening opgeheven.")
    assert "Geboekt als teruggekomen." in bounced.text
    anna = paying.people.browser(paying.anna(initiative)).get(own(initiative))
    assert "Het geld kwam terug van de bank" in anna.text
    assert anna.all(f'a[href="{own(initiative, "aanvragen")}"]')


def test_finance_reads_who_did_what_and_what_comes_next(paying: Paying) -> None:
    payout = paying.approved()
    frits, path = paying.people.browser(paying.frits), f"{FINANCE}/{payout.id}"

    page = frits.get(path)
    for words in ("Aangevraagd, door Anna", "wijkregisseur, door Sanne de Boer", "Goedgekeurd, door Frits Vos"):
        assert words in page.text
    assert page.all(f'a[href="/financien/boeken/boekingen?initiatief={payout.initiative_id}"]')
    assert "Naar de betaalopdrachten" in page.text
    batch = paying.export(payout, state="made")
    page = frits.get(path)
    assert "Wacht op vrijgave" in page.text
    assert page.all(f'a[href="/financien/betaalopdrachten/{batch.id}"]')
    assert not page.all(f'form[action="{path}/betaald"]')
    assert not page.all(f'form[action="{path}/teruggekomen"]')


def test_finance_finds_a_payout_by_its_amount_with_what_a_list_adds_up_to(paying: Paying) -> None:
    payout, other = paying.approved(), paying.approved(amount_cents=2_000)
    frits, path = paying.people.browser(paying.frits), f"{FINANCE}?lijst=goedgekeurd"

    assert "Goedgekeurd samen € 72,50" in plain(frits.get(path))
    found = frits.get(f"{path}&zoek=52,50")
    assert "Goedgekeurd samen € 52,50" in plain(found)
    assert found.all(f'a[href="{FINANCE}/{payout.id}"]')
    assert not found.all(f'a[href="{FINANCE}/{other.id}"]')
    assert "staat er niets" in frits.get(f"{path}&zoek=52,51").text


def test_the_dossier_of_the_desk_leads_to_the_payout(paying: Paying) -> None:
    payout, without = paying.requested(), paying.initiative()
    sanne = paying.people.browser(paying.sanne)

    for initiative_id, number in ((payout.initiative_id, 1), (without.id, 0)):
        links = sanne.get(f"/regie/initiatieven/{initiative_id}").all(f'a[href="{DESK}/{initiative_id}"]')
        assert len(links) == number


def test_the_lists_of_finance_hold_each_payout_once_and_find_it(paying: Paying) -> None:
    found = {state: paying.in_state(state) for state in S}
    frits = paying.people.browser(paying.frits)
    lists = {
        "goed-te-keuren": [S.CONFIRMED],
        "goedgekeurd": [S.APPROVED],
        "onderweg": [S.EXPORTED],
        "betaald": [S.PAID],
        "elders": [S.REQUESTED, S.INCOMPLETE],
        "niet-betaald": [S.REFUSED, S.BOUNCED],
    }

    for name, states in lists.items():
        links = {link.attrs["href"] for link in frits.get(f"{FINANCE}?lijst={name}").all("a.fin-row__link")}
        assert links == {f"{FINANCE}/{found[state].id}" for state in states}
    wanted = found[S.PAID]
    for search in (f"%23{wanted.initiative_id}", str(wanted.initiative_id), wanted.end_to_end_id):
        links = [
            link.attrs["href"] for link in frits.get(f"{FINANCE}?lijst=betaald&zoek={search}").all("a.fin-row__link")
        ]
        assert links == [f"{FINANCE}/{wanted.id}"]
    assert "Zoek niet op rekeningnummer" in frits.get(f"{FINANCE}?zoek={IBAN}").text


def test_a_finance_colleague_who_organises_it_does_not_open_it(paying: Paying) -> None:
    initiative = paying.initiative()
    payout = paying.confirmed(initiative)
    paying.people.organiser_account(initiative, 1)
    bram = paying.people.organiser_account(initiative, 1)
    paying.factory.session.execute(
        text("INSERT INTO staff_roles (account_id, role, granted_at) VALUES (:id, 'finance', now())"), {"id": bram.id}
    )
    paying.factory.session.commit()

    paying.people.browser(bram).get(f"{FINANCE}/{payout.id}", status=403)


# -- nowhere else ---------------------------------------------------------------------------------------------------


def test_the_number_is_nowhere_but_where_it_is_checked(
    paying: Paying, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    initiative = paying.initiative()
    people = paying.people
    anna, sanne = people.browser(paying.anna(initiative)), people.browser(paying.sanne)
    frits, fatou = people.browser(paying.frits), people.browser(paying.fatou)
    anna.submit(anna.get(own(initiative, "aanvragen")), own(initiative, "aanvragen"), **TYPED)
    payout = payout_of(paying, initiative)
    sanne.post(
        f"{DESK}/{initiative.id}/rekeningnummer",
        {"csrf_token": sanne.get(f"{DESK}/{initiative.id}").field("csrf_token")},
    )
    pages = everything(paying, initiative, payout, anna, sanne, frits)
    sanne.submit(sanne.get(f"{DESK}/{initiative.id}"), f"{DESK}/{initiative.id}")
    pages += everything(paying, initiative, payout, anna, sanne, frits)
    frits.submit(frits.get(f"{FINANCE}/{payout.id}"), f"{FINANCE}/{payout.id}")
    paying.export(payout_of(paying, initiative))
    paying.factory.session.commit()
    path = f"{FINANCE}/{payout.id}"
    fatou.submit(fatou.get(path), f"{path}/betaald", paid_note="Gezien.")
    fatou.submit(fatou.get(path), f"{path}/teruggekomen", bounce_reason="Opgeheven.")
    pages += everything(paying, initiative, payout, anna, sanne, frits)

    output = capfd.readouterr()
    whole = [*pages, caplog.text, output.out, output.err]
    tables = " UNION ALL ".join(f'SELECT t::text FROM "{table}" t' for table in database.Base.metadata.tables)
    whole += paying.factory.session.scalars(text(tables)).all()
    compact = ["".join(one.replace("\u00a0", " ").split()).upper() for one in whole]
    assert len(pages) > 15
    assert not [number for number, one in enumerate(compact) if IBAN in one or "ABNA0417" in one]
    assert IBAN.encode().hex().upper() not in "".join(compact)
    events = paying.factory.session.scalars(select(Event).where(Event.kind == "payout.iban_shown")).all()
    assert [event.subject_id for event in events] == [payout.id]


def everything(paying: Paying, initiative: Initiative, payout: Payout, anna: Browser, *staff: Browser) -> list[str]:
    """Every page that speaks of it, as each of them gets it."""
    sanne, frits = staff
    paying.factory.session.commit()
    own_pages = [own(initiative), f"/account/initiatieven/{initiative.id}", "/account/gegevens"]
    found = [anna.get(path).html for path in own_pages]
    found.append(fetch(anna, "/account/gegevens.json").get_data(as_text=True))
    found += [
        sanne.get(path).html for path in (f"{DESK}/{initiative.id}", f"/regie/initiatieven/{initiative.id}", "/regie")
    ]
    found += [frits.get(path).html for path in (f"{FINANCE}/{payout.id}", FINANCE)]
    return found


# -- what was not spent ---------------------------------------------------------------------------------------------


def test_the_organisers_read_how_to_pay_back_and_what_came(
    paying: Paying, realised: Initiative, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = BankAccount(iban=GERMAN_IBAN, holder="Gemeente Voorbeeld")
    monkeypatch.setitem(
        app.extensions, "settings", dataclasses.replace(app.extensions["settings"], bank_account=account)
    )
    anna, frits = paying.people.browser(paying.anna(realised)), paying.people.browser(paying.frits)
    path, overview = f"/financien/niet-besteed/{realised.id}", f"/account/initiatieven/{realised.id}/verantwoording"

    page = anna.get(overview)
    assert "Betaal € 12,50 terug aan de gemeente." in plain(page)
    assert f"NIET BESTEED {realised.id}" in page.text
    assert GERMAN_IBAN in page.text
    assert frits.get("/financien/niet-besteed").all(f'a[href="{path}"]')
    form = frits.get(path)
    wrong = frits.submit(form, path, status=422, amount="60")
    assert "hoogstens € 52,50" in plain(wrong)
    later = (paying.today + dt.timedelta(days=1)).isoformat()
    assert frits.submit(wrong, path, status=422, amount="12,50", received_on=later).one("#received_on-error")
    assert "Geboekt." in frits.submit(form, path, amount="12,50").text
    assert "al geboekt" in frits.submit(form, path, amount="12,50").text

    page = anna.get(overview)
    assert "€ 12,50. Dank je wel." in plain(page)
    assert GERMAN_IBAN not in page.text
    rows: Any = paying.factory.session.execute(text("SELECT sum(amount_cents), count(*) FROM unspent_returns")).one()
    assert tuple(rows) == (1_250, 1)
