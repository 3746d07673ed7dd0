# SPDX-License-Identifier: EUPL-1.2
"""The letters of the demo that nobody used yet: each round's vouchers in a random order, each handed out once."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.areas.models import Area
from abs_platform.households.models import Household
from abs_platform.replacements.queries import Address
from abs_platform.vouchers.models import Voucher

HOT, LOST = "hot", "lost"


@dataclass(slots=True)
class Stock:
    """What is left of one round. ``aside`` is what the post loses or brings back, so that nobody gives it."""

    round_id: int
    left: list[bytes] = field(default_factory=list)
    aside: dict[str, list[bytes]] = field(default_factory=dict)

    def take(self) -> bytes:
        """The nonce of a letter that nobody used. Raises: IndexError when there is none."""
        return self.left.pop()


def stock_of(session: Session, round_id: int, chance: random.Random) -> Stock:
    """All vouchers of a round that was issued just now."""
    nonces = list(session.scalars(select(Voucher.nonce).where(Voucher.round_id == round_id).order_by(Voucher.id)))
    chance.shuffle(nonces)
    return Stock(round_id, nonces)


def set_aside(session: Session, stock: Stock, neighbourhood: str, *, hot: int, others: int) -> None:
    """Keep letters for the post: so many of one neighbourhood, and so many of anywhere else."""
    of_area = (
        select(Voucher.nonce)
        .join(Household, Household.id == Voucher.household_id)
        .join(Area, Area.id == Household.neighbourhood_id)
        .where(Voucher.round_id == stock.round_id, Area.code == neighbourhood)
        .order_by(func.md5(func.concat(Voucher.id, "post")))
        .limit(hot)
    )
    chosen = list(session.scalars(of_area))
    gone = set(chosen)
    stock.left = [nonce for nonce in stock.left if nonce not in gone]
    stock.aside = {HOT: chosen, LOST: [stock.take() for _number in range(others)]}


def address_of_letter(session: Session, nonce: bytes) -> Address:
    """Where a letter was sent."""
    home = session.scalars(
        select(Household).join(Voucher, Voucher.household_id == Household.id).where(Voucher.nonce == nonce)
    ).one()
    return Address(home.postcode, home.house_number, home.house_letter, home.house_addition)
