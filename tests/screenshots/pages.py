# SPDX-License-Identifier: EUPL-1.2
"""Which pages there are to look at, whose each is, and where it stands in the demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.following.links import manage_token, stop_token
from abs_platform.site_texts.states import SitePage

VISITOR = "bezoeker"
ORGANISER, AT_THE_END, RESIDENT = "organisator", "organisator aan het eind", "bewoner"
MANAGER, COORDINATOR, FINANCE, DESK = "wijkregisseur", "beheerder", "financieel medewerker", "baliemedewerker"
# A button that shows the state of a page that has no address of its own.
_FIRST_CHOICE = ".abs-choice [type=radio]"

# The newest of each kind, by the name that stands in the addresses below.
_NEWEST = {
    "post": "SELECT id FROM news_posts WHERE published_at <= now() AND withdrawn_at IS NULL ORDER BY id LIMIT 1",
    "item": "SELECT id FROM agenda_items WHERE state = 'published' AND starts_at > now() ORDER BY starts_at LIMIT 1",
    "round": "SELECT id FROM rounds WHERE state = 'open' ORDER BY id LIMIT 1",
    "closed_round": "SELECT id FROM rounds WHERE state = 'closed' ORDER BY id LIMIT 1",
    "gift": "SELECT reference FROM donations WHERE state = 'confirmed' ORDER BY id DESC LIMIT 1",
    "follower": "SELECT id FROM followers ORDER BY id LIMIT 1",
    "question": "SELECT id FROM posts WHERE parent_id IS NULL ORDER BY id LIMIT 1",
    "waiting": "SELECT id FROM initiatives WHERE state = 'submitted' ORDER BY id LIMIT 1",
    "payout": "SELECT id FROM payouts ORDER BY id DESC LIMIT 1",
    "booking": "SELECT id FROM ledger_transactions ORDER BY id DESC LIMIT 1",
    "district": "SELECT id FROM areas WHERE slug = 'windmolenbroek' AND level = 'district'",
}
_STATES = ("published", "funded", "running", "realised", "expired", "stopped")


@dataclass(frozen=True, slots=True)
class Sight:
    """One page to look at: its file name, where it is, who looks, and what is pressed before the picture."""

    name: str
    path: str
    who: str = VISITOR
    press: tuple[str, ...] = ()
    is_staff: bool = False
