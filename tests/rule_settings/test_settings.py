# SPDX-License-Identifier: EUPL-1.2
"""The coordinator sets a number of the rules in two steps, it holds everywhere, and its history stays."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from abs_platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.events import Event
from abs_platform.municipality import Rules
from abs_platform.rule_settings import in_force, service
from abs_platform.rule_settings.models import RuleChange
from abs_platform.rule_settings.states import BY_NAME, IN_ORDER, NUMBERS
from abs_platform.users import Role
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser
from tests.people import People

PATH = "/beheer/instellingen/objection_days"


@pytest.fixture
def coordinator(app: Flask, factory: Factory) -> Browser:
    """Who coordinates."""
    return People(app, factory).coordinator()


def change(
    factory: Factory, name: str, value: int, seen: int | None = None, reason: str = "Zo besloten."
) -> RuleChange:
    """Set a number."""
    return service.change_rule(
        factory.session,
        name,
        value,
        seen_value=getattr(factory.rules, name) if seen is None else seen,
        reason="Zo besloten.",
        in_file=factory.rules,
        account_id=factory.account(roles=(Role.COORDINATOR,)).id,
        actor=TEST_ACTOR,
        now=factory.now,
    )


def test_every_number_of_the_rules_is_explained_and_lies_within_its_bounds() -> None:
    assert set(BY_NAME) == {one.name for one in fields(Rules)}
    assert len(NUMBERS) == len(BY_NAME)
    rules = Rules()
    for number in NUMBERS:
        assert str(number.label)
        assert str(number.purpose)
        assert not number.may_be_set or number.least <= getattr(rules, number.name) <= number.most, number.name


def test_a_number_is_changed_in_two_steps_with_a_reason_and_holds_at_once(
    session: Session, coordinator: Browser
) -> None:
    form = coordinator.get(PATH)
    asked = coordinator.submit(form, PATH, value="10", reason="Zeven dagen is kort in de vakantie.")
    assert service.current_rules().objection_days == 7, "the first step changes nothing"
    done = coordinator.submit(asked, PATH)

    assert "7 dagen" in asked.text
    assert "10 dagen" in asked.text
    assert "Van 7 dagen naar 10 dagen" in done.text
    assert "Zeven dagen is kort in de vakantie." in done.text
    assert "door Coen" in done.text
    assert service.current_rules().objection_days == 10
    row = session.scalars(select(RuleChange)).one()
    assert (row.name, row.old_value, row.value) == ("objection_days", 7, 10)
    logged = session.scalars(select(Event).where(Event.kind == "rule.changed")).one()
    assert logged.details == {"name": "objection_days", "old": 7, "new": 10}
    assert logged.reason == "Zeven dagen is kort in de vakantie."
    listed = coordinator.get("/beheer/instellingen").text
    assert "door Coen" in listed
    assert "uit het bestand van de gemeente" in listed


@pytest.mark.parametrize(
    ("value", "reason", "field", "words"),
    [
        ("", "Daarom is het.", "value", "Vul de nieuwe waarde in."),
        ("veel", "Daarom is het.", "value", "Vul een heel getal in"),
        ("-3", "Daarom is het.", "value", "Vul een heel getal in"),
        ("0", "Daarom is het.", "value", "Kies een waarde van 1 dag tot en met 30 dagen."),
        ("31", "Daarom is het.", "value", "Kies een waarde van 1 dag tot en met 30 dagen."),
        ("7", "Daarom is het.", "value", "Dit is al de waarde."),
        ("8", "", "reason", "Schrijf op waarom je dit wijzigt."),
    ],
)
def test_what_cannot_be_set_comes_back_filled_in_with_a_sentence(  # noqa: PLR0917
    session: Session, coordinator: Browser, value: str, reason: str, field: str, words: str
) -> None:
    page = coordinator.submit(coordinator.get(PATH), PATH, status=422, value=value, reason=reason)

    assert words in page.one(f"#{field}-error").to_text()
    assert page.all(".abs-error-summary")
    if value:
        assert page.field("value") == value
    assert session.scalar(select(RuleChange.id)) is None


def test_amounts_are_typed_in_euros(session: Session, coordinator: Browser) -> None:
    path = "/beheer/instellingen/voucher_amount_cents"
    form = coordinator.get(path)
    asked = coordinator.submit(form, path, value="12,50", reason="Het budget is hoger.")
    coordinator.submit(asked, path)

    assert form.field("value") == "7,50"
    assert session.scalars(select(RuleChange.value)).one() == 1_250


def test_two_who_change_at_once_see_each_other(factory: Factory, coordinator: Browser) -> None:
    asked = coordinator.submit(coordinator.get(PATH), PATH, value="10", reason="Tien is mooier.")
    change(factory, "objection_days", 14)
    factory.session.commit()

    page = coordinator.submit(asked, PATH, status=409)

    assert "intussen gewijzigd in 14 dagen" in page.text


def test_numbers_that_belong_together_stay_in_order(factory: Factory) -> None:
    for low, high in IN_ORDER:
        assert getattr(factory.rules, low) <= getattr(factory.rules, high)
    change(factory, "min_target_cents", 60_000)

    with pytest.raises(InvalidInput, match="past niet bij de andere"):
        change(factory, "max_target_cents", 50_000)


def test_what_stays_in_the_file_is_shown_and_not_changed(factory: Factory, coordinator: Browser) -> None:
    with pytest.raises(NotAllowed):
        change(factory, "wrong_codes_per_hour", 11)
    with pytest.raises(NotFound):
        change(factory, "bestaat_niet", 11, seen=1)

    assert "Hoeveel foute codes" in coordinator.get("/beheer/instellingen").text
    coordinator.get("/beheer/instellingen/wrong_codes_per_hour", status=403)
    coordinator.get("/beheer/instellingen/bestaat_niet", status=404)


def test_changes_are_only_ever_added(factory: Factory) -> None:
    change(factory, "objection_days", 9)

    for statement in ("UPDATE rule_changes SET value = 1", "DELETE FROM rule_changes"):
        with pytest.raises(DBAPIError), factory.session.begin_nested():
            factory.session.execute(text(statement))


def test_other_processes_follow_within_seconds_and_ask_once(
    app: Flask, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    moment = [100.0]
    monkeypatch.setattr(in_force.time, "monotonic", lambda: moment[0])
    monkeypatch.setitem(app.extensions, "settings", app.extensions["settings"])

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "rule_changes" in statement and statement.startswith("SELECT"):
            asked.append(statement)

    service.forget_rules()
    before = service.current_rules().objection_days
    change(factory, "objection_days", 21)
    factory.session.commit()  # as another process would: this one is not told
    event.listen(Engine, "before_cursor_execute", note)
    try:
        still = [service.current_rules().objection_days for _time in range(5)]
        moment[0] += in_force.SECONDS_KEPT
        after = [service.current_rules().objection_days for _time in range(5)]
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    assert (before, still, after) == (7, [7] * 5, [21] * 5)
    assert len(asked) == 1


def test_the_newest_change_of_each_name_is_in_force_over_the_file(factory: Factory) -> None:
    change(factory, "objection_days", 9)
    change(factory, "objection_days", 11, seen=9)
    change(factory, "max_kept_vouchers", 3)
    with pytest.raises(Conflict):
        change(factory, "max_kept_vouchers", 4, seen=10)
    factory.session.commit()
    service.forget_rules()

    assert service.current_rules() == replace(factory.rules, objection_days=11, max_kept_vouchers=3)
