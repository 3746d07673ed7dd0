# SPDX-License-Identifier: EUPL-1.2
"""A town for figures: letters in neighbourhoods of two districts, of which some were given, by each channel."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, text, update

from abs_platform.donations.models import Donation
from abs_platform.donations.states import Channel
from abs_platform.households.models import Household
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import Voucher
from tests.factories import Factory

WINDMOLENBROEK, SLUITERSVELD = "WK014119", "WK014113"
# Letters and gifts: one neighbourhood with few gifts, two with many; the other district has enough everywhere.
TOWN = {
    "BU01411900": (60, 30),
    "BU01411901": (40, 4),
    "BU01411902": (30, 14),
    "BU01411300": (50, 25),
    "BU01411301": (45, 21),
}


def round_of(
    factory: Factory, town: Mapping[str, tuple[int, int]] = TOWN, paper: tuple[int, int] = (0, 0), **options: object
) -> Round:
    """An open round with its letters and gifts; ``paper``: how many of the gifts organisers and desks brought in."""
    for area, (letters, _given) in town.items():
        living = select(Household.id).where(Household.neighbourhood_id == factory.area_id(area))
        factory.households(letters - len(factory.session.scalars(living).all()), area)
    round_ = factory.round(**options)  # type: ignore[arg-type]
    factory.issue(round_)
    give(factory, round_, {area: given for area, (_letters, given) in town.items()})
    bring_on_paper(factory, round_, *paper)
    factory.session.commit()
    return round_


def give(factory: Factory, round_: Round, gifts: Mapping[str, int]) -> None:
    """Give so many vouchers of each neighbourhood to one initiative."""
    initiative = factory.initiative(target_cents=400_000)
    for area, count in gifts.items():
        nonces = factory.session.scalars(
            select(Voucher.nonce)
            .join(Household, Household.id == Voucher.household_id)
            .where(
                Voucher.round_id == round_.id,
                Household.neighbourhood_id == factory.area_id(area),
                Voucher.state == "issued",
            )
            .order_by(Voucher.id)
            .limit(count)
        ).all()
        assert len(nonces) == count
        for nonce in nonces:
            assert factory.give(factory.keys.code(nonce), initiative) is not None


def bring_on_paper(factory: Factory, round_: Round, organiser: int, desk: int) -> None:
    """Let the newest gifts of a round have come in on paper."""
    ids = factory.session.scalars(
        select(Donation.id)
        .join(Voucher, Voucher.id == Donation.voucher_id)
        .where(Voucher.round_id == round_.id)
        .order_by(Donation.id.desc())
        .limit(organiser + desk)
    ).all()
    for channel, some in ((Channel.ORGANISER, ids[:organiser]), (Channel.DESK, ids[organiser:])):
        factory.session.execute(update(Donation).where(Donation.id.in_(some)).values(channel=channel.value))


def forget_links(factory: Factory, round_: Round) -> None:
    """What the retention job does to the vouchers of a settled round."""
    factory.session.execute(text("UPDATE vouchers SET household_id = NULL WHERE round_id = :id"), {"id": round_.id})
    factory.session.commit()
