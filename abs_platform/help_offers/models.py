# SPDX-License-Identifier: EUPL-1.2
"""Offers of help."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.help_offers.states import OfferState
from abs_platform.initiatives.states import NeedKind


class HelpOffer(Base):
    """Somebody offers what an initiative asks for, in the words in which it was asked.

    Those words stand here, and no number of a need: organisers rewrite their needs, and an offer is to what was read.
    ``contact_shared_at`` is when the offerer said that the organisers may see name and e-mail address.
    """

    __tablename__ = "help_offers"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(OfferState)}", name="state_known"),
        CheckConstraint(f"kind IN {in_list(NeedKind)}", name="kind_known"),
        CheckConstraint("length(note) <= 280", name="note_length"),
        CheckConstraint(
            "state NOT IN ('accepted', 'thanked') OR answered_at IS NOT NULL", name="answered_at_when_answered"
        ),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_at_when_withdrawn"),
        Index(None, "initiative_id", "state"),
        Index(
            "uq_help_offers_one_living",
            "account_id",
            "initiative_id",
            "kind",
            "need",
            unique=True,
            postgresql_where="state IN ('offered', 'accepted')",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str]
    need: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str]
    offered_at: Mapped[dt.datetime]
    contact_shared_at: Mapped[dt.datetime]
    answered_at: Mapped[dt.datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    withdrawn_at: Mapped[dt.datetime | None]
