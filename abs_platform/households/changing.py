# SPDX-License-Identifier: EUPL-1.2
"""Addresses that the coordinator ends, brings back, splits or adds by hand: with a reason, and told in the event log.

1. An address that is there already, ended ones too, is not added again: else one door would get two vouchers.
2. What is added gets a voucher at the next issue, so it is minted value (lessons: one code per address, no form mints
   value). Hence a reason, a limit a day for the whole municipality, and a list for who looks a second time.
3. Nothing is deleted, and an import leaves alone what was ended here and what was added here (households.service).

All verbs keep imports, issuing and each other out while they work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from psycopg.errors import LockNotAvailable
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.areas.queries import is_current
from abs_platform.clock import local_date
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.households import queries
from abs_platform.households.models import Household
from abs_platform.households.queries import ADDED, BROUGHT_BACK, ENDED, SPLIT, NewAddress
from abs_platform.households.service import ADDRESSES_LOCK, lock_household

# A new block of flats is in the BAG before anyone lives there; by hand comes what the BAG has not got yet. Fifty is a
# large stairwell in one day, and at most some hundreds of euros of vouchers before the list is looked at.
MOST_ADDED_A_DAY = 50
MOST_PARTS = 20
MOST_SECONDS_TO_WAIT = 5
# No municipality has number 9999, so the BAG will never give out such a number.
MADE_UP_PREFIX = "9999"
_FIRST_MADE_UP = 9_999_000_000_000_000


class AddressExists(Conflict):
    """The address is there already, living or ended; ``household_id`` says which."""

    def __init__(self, household_id: int, address: str, *, is_ended: bool) -> None:
        super().__init__(
            _(
                "%(address)s bestaat al, maar is beëindigd. Haal het terug in plaats van het toe te voegen.",
                address=address,
            )
            if is_ended
            else _("%(address)s bestaat al.", address=address)
        )
        self.household_id = household_id


@dataclass(frozen=True, slots=True)
class _Why:
    """Who does it, when, and why."""

    reason: str
    actor: Actor
    now: dt.datetime


def end(session: Session, household_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Nobody lives there: no voucher any more, and no import brings it back. A voucher that is out stays what it is.

    Locks: the addresses, the household. Raises: NotFound; InvalidInput without a reason; Conflict when it has ended.
    """
    why = _why(reason, actor, now)
    _hold_alone(session)
    household = lock_household(session, household_id)
    if household.ended_on is not None:
        raise Conflict(_("Dit adres is al beëindigd."))
    household.ended_on, household.ended_by_hand_at = local_date(now), now
    _note(session, ENDED, household, why, old=_("telt mee"), new=_("beëindigd"))


def bring_back(session: Session, household_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Somebody lives there after all. What an import had ended counts as added by hand: the BAG does not have it.

    Locks: the addresses, the household.
    Raises: NotFound; InvalidInput without a reason; Conflict when it lives, or when too many were added today.
    """
    why = _why(reason, actor, now)
    _hold_alone(session)
    household = lock_household(session, household_id)
    if household.ended_on is None:
        raise Conflict(_("Dit adres telt al mee."))
    double = queries.same_address(session, _address_of(household), besides=household.id)
    if double is not None and double.ended_on is None:
        raise AddressExists(double.id, double.address_line, is_ended=False)
    if household.ended_by_hand_at is None:
        _check_limit(session, 1, now)
        household.added_by_hand_at = now
    household.ended_on = household.ended_by_hand_at = None
    _note(session, BROUGHT_BACK, household, why, old=_("beëindigd"), new=_("telt mee"))


def add(
    session: Session,
    address: NewAddress,
    *,
    is_new_postcode: bool = False,
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> Household:
    """A door that is not in the BAG yet. ``is_new_postcode``: that nobody has this postcode yet was seen.

    Locks: the addresses.
    Raises: InvalidInput; AddressExists; NotFound without such a neighbourhood; Conflict when too many were added today.
    """
    why = _why(reason, actor, now)
    _hold_alone(session)
    if not is_current(session, address.neighbourhood_id):
        raise NotFound(_("Deze buurt bestaat niet (meer)."))
    if not is_new_postcode and not queries.has_postcode(session, address.postcode):
        sentence = _(
            "Geen enkel adres heeft deze postcode. Klopt hij, zet dan een vinkje bij 'Dit is een nieuwe postcode'."
        )
        raise InvalidInput(sentence, fields={"is_new_postcode": sentence})
    if address.bag_object_id.startswith(MADE_UP_PREFIX):
        sentence = _("Dit is geen nummer uit de BAG.")
        raise InvalidInput(sentence, fields={"bag_object_id": sentence})
    _refuse_double(session, address)
    _check_limit(session, 1, now)
    made = _make(session, address, why)
    _note(session, ADDED, made, why, neighbourhood=queries.neighbourhood_code(session, made.neighbourhood_id))
    return made


def split(
    session: Session,
    household_id: int,
    numbers: Sequence[tuple[str, str]],
    *,
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> list[Household]:
    """One address that became several, as 12 became 12A and 12B: letter and addition of each, in order.

    The first keeps the household, with what it has; each of the others is new. Returns all of them.

    Locks: the addresses, the household.
    Raises: NotFound; InvalidInput; AddressExists; Conflict when it has ended, or too many were added today.
    """
    why = _why(reason, actor, now)
    _check_numbers(numbers)
    _hold_alone(session)
    household = lock_household(session, household_id)
    if household.ended_on is not None:
        raise Conflict(_("Dit adres is beëindigd. Haal het eerst terug."))
    address = _address_of(household)
    parts = [replace(address, house_letter=letter, house_addition=addition) for letter, addition in numbers]
    for part in parts:
        _refuse_double(session, part, besides=household.id)
    _check_limit(session, len(parts) - 1, now)
    old = f"{household.house_letter}{household.house_addition}"
    household.house_letter, household.house_addition = numbers[0]
    made = [_make(session, replace(part, bag_object_id=""), why) for part in parts[1:]]
    new = ", ".join(f"{letter}{addition}" or "-" for letter, addition in numbers)
    _note(session, SPLIT, household, why, old=old or "-", new=new, made=[one.id for one in made])
    code = queries.neighbourhood_code(session, household.neighbourhood_id)
    for one in made:
        _note(session, ADDED, one, why, neighbourhood=code, split_from=household.id)
    return [household, *made]


def _hold_alone(session: Session) -> None:
    """Keep imports, issuing and other changes by hand out until this transaction ends. It does not wait for long work.

    Locks: the addresses (exclusive). Raises: Conflict when an import or an issue runs.
    """
    session.execute(text(f"SET LOCAL lock_timeout = '{MOST_SECONDS_TO_WAIT}s'"))
    try:
        session.execute(select(func.pg_advisory_xact_lock(ADDRESSES_LOCK)))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise Conflict(
                _("Er worden nu adressen ingelezen of vouchers uitgegeven. Probeer het over een paar minuten opnieuw.")
            ) from error
        raise


def _why(reason: str, actor: Actor, now: dt.datetime) -> _Why:
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    return _Why(reason.strip(), actor, now)


def _check_numbers(numbers: Sequence[tuple[str, str]]) -> None:
    sentence = ""
    if len(numbers) < 2:
        sentence = _("Geef ten minste twee nummers.")
    elif len(numbers) > MOST_PARTS:
        sentence = _("Geef hoogstens %(most)s nummers.", most=MOST_PARTS)
    elif len({(letter, addition.lower()) for letter, addition in numbers}) < len(numbers):
        sentence = _("Elk nummer mag er maar een keer staan.")
    if sentence:
        raise InvalidInput(sentence, fields={"numbers": sentence})


def _check_limit(session: Session, more: int, now: dt.datetime) -> None:
    left = MOST_ADDED_A_DAY - queries.added_today(session, now)
    if more > left:
        raise Conflict(
            _(
                "Per dag kunnen er hoogstens %(most)s adressen met de hand bij. Vandaag kunnen er nog %(left)s bij. "
                "Gaat het om meer, wacht dan op de BAG.",
                most=MOST_ADDED_A_DAY,
                left=max(0, left),
            )
        )


def _refuse_double(session: Session, address: NewAddress, besides: int | None = None) -> None:
    double = queries.same_address(session, address, besides=besides)
    if double is None and address.bag_object_id and besides is None:
        double = queries.with_object(session, address.bag_object_id)
    if double is not None:
        raise AddressExists(double.id, double.address_line, is_ended=double.ended_on is not None)


def _make(session: Session, address: NewAddress, why: _Why) -> Household:
    made = Household(
        bag_object_id=address.bag_object_id or _made_up_id(session),
        object_type=address.object_type,
        street=address.street,
        house_number=address.house_number,
        house_letter=address.house_letter,
        house_addition=address.house_addition,
        postcode=address.postcode,
        city=address.city,
        neighbourhood_id=address.neighbourhood_id,
        added_by_hand_at=why.now,
    )
    session.add(made)
    session.flush()
    return made


def _made_up_id(session: Session) -> str:
    """The next number of 16 digits that no BAG has: nobody else makes one while the addresses are held."""
    last = session.scalar(
        select(func.max(Household.bag_object_id)).where(Household.bag_object_id >= str(_FIRST_MADE_UP))
    )
    return str(max(int(last or 0), _FIRST_MADE_UP) + 1)


def _address_of(household: Household) -> NewAddress:
    return NewAddress(
        street=household.street,
        house_number=household.house_number,
        house_letter=household.house_letter,
        house_addition=household.house_addition,
        postcode=household.postcode,
        city=household.city,
        neighbourhood_id=household.neighbourhood_id,
        object_type=household.object_type,
    )


def _note(session: Session, kind: str, household: Household, why: _Why, **details: object) -> None:
    session.flush()
    events.record(session, kind, household.id, actor=why.actor, now=why.now, reason=why.reason, **details)
