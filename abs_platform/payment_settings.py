# SPDX-License-Identifier: EUPL-1.2
"""Where gifts of money are paid, and from which account initiatives are paid out; without it there is none of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

STRIPE_URL = "https://api.stripe.com"
DEFAULT_METHODS = ("ideal", "card", "bancontact")
_LIVE = ("sk_live_", "rk_live_")
_TEST = ("sk_test_", "rk_test_")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettings:
    """The account at the payment provider. ``methods`` in the provider's words, in the order of the setting."""

    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    methods: tuple[str, ...] = DEFAULT_METHODS
    api_url: str = STRIPE_URL

    @property
    def is_live(self) -> bool:
        """Whether real money moves."""
        return self.api_key.startswith(_LIVE)

    @property
    def is_stand_in(self) -> bool:
        """Whether something of our own plays the provider: no money moves, and every page says so."""
        return self.api_url != STRIPE_URL

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Self | None:
        """Read ABS_STRIPE_*; None when nothing is set: then only vouchers are given.

        Raises: ValueError with what is wrong; no value of a key is repeated.
        """
        key, secret = env.get("ABS_STRIPE_KEY", "").strip(), env.get("ABS_STRIPE_WEBHOOK_SECRET", "").strip()
        url = (env.get("ABS_STRIPE_URL", "").strip() or STRIPE_URL).rstrip("/")
        if not (key or secret):
            if url != STRIPE_URL:
                raise ValueError("ABS_STRIPE_URL is set, but not ABS_STRIPE_KEY and ABS_STRIPE_WEBHOOK_SECRET")
            return None
        if not (key and secret):
            raise ValueError("ABS_STRIPE_KEY and ABS_STRIPE_WEBHOOK_SECRET go together: give both, or none")
        if not key.startswith(_LIVE + _TEST):
            raise ValueError("ABS_STRIPE_KEY is not a secret key: it begins with sk_live_ or sk_test_")
        if not secret.startswith("whsec_"):
            raise ValueError("ABS_STRIPE_WEBHOOK_SECRET begins with whsec_")
        _refuse_mixture(key, url, is_production=env.get("ABS_ENV") == "production")
        methods = tuple(part.strip() for part in env.get("ABS_STRIPE_METHODS", "").split(",") if part.strip())
        if not all(method.isascii() and method.replace("_", "").isalnum() for method in methods):
            raise ValueError("ABS_STRIPE_METHODS is not a list like ideal,card,bancontact")
        return cls(api_key=key, webhook_secret=secret, methods=methods or DEFAULT_METHODS, api_url=url)


def _refuse_mixture(key: str, url: str, *, is_production: bool) -> None:
    """Real money and play money never meet."""
    is_stand_in = url != STRIPE_URL
    if is_production and is_stand_in:
        raise ValueError("ABS_STRIPE_URL may not be set in production: gifts are paid at Stripe itself")
    if is_production and not key.startswith(_LIVE):
        raise ValueError("ABS_STRIPE_KEY is a test key: in production no gift would really be paid")
    if not is_production and key.startswith(_LIVE):
        raise ValueError("ABS_STRIPE_KEY is a live key: outside production use a test key (sk_test_...)")
    if is_stand_in and urlsplit(url).hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ValueError("ABS_STRIPE_URL leads to another machine: a stand-in runs on this one")


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """The municipality's own account, from which initiatives are paid."""

    iban: str
    holder: str
    bic: str = ""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Self | None:
        """Read ABS_BANK_IBAN, ABS_BANK_HOLDER and ABS_BANK_BIC; None when not set. Raises: ValueError."""
        iban, holder = env.get("ABS_BANK_IBAN", "").strip(), env.get("ABS_BANK_HOLDER", "").strip()
        if not (iban or holder):
            return None
        if not (iban and holder):
            raise ValueError("ABS_BANK_IBAN and ABS_BANK_HOLDER go together: give both, or none")
        try:
            found = IBAN(iban)
        except (SchwiftyException, ValueError) as error:
            raise ValueError("ABS_BANK_IBAN is not an IBAN") from error
        return cls(iban=str(found), holder=holder, bic=env.get("ABS_BANK_BIC", "").strip())
