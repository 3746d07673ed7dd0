# SPDX-License-Identifier: EUPL-1.2
"""Typed settings, read once from the environment; in production the app refuses to start on what is missing or weak."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, cast
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from abs_platform.development_keys import development_keys
from abs_platform.mail_server import MailServer, read_address
from abs_platform.map_tiles import MapTiles
from abs_platform.municipality import PACKAGE_DIR, ConfigurationError, Municipality, Rules
from abs_platform.openid import OpenId
from abs_platform.payment_settings import BankAccount, PaymentSettings
from abs_platform.storage import Bucket

ROOT_DIR = PACKAGE_DIR.parent
DEFAULT_BASE_URL = "http://127.0.0.1:5000"
MIN_KEY_CHARACTERS = 32
MIN_DISTINCT_CHARACTERS = 12

Environment = Literal["development", "production", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the app may know about where it runs."""

    environment: Environment
    instance_dir: Path
    database_url: str | None
    secret_key: str = field(repr=False)
    voucher_key: bytes = field(repr=False)
    municipality: Municipality
    base_url: str
    trusted_proxies: int = 0
    mail_server: MailServer | None = None
    mail_from: str = ""
    media_bucket: Bucket | None = None
    openid: OpenId | None = None
    payments: PaymentSettings | None = None
    bank_account: BankAccount | None = None
    map_tiles: MapTiles | None = None

    @property
    def is_production(self) -> bool:
        """Whether real residents use this."""
        return self.environment == "production"

    @property
    def rules(self) -> Rules:
        """The numbers of the rules of the game."""
        return self.municipality.rules

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """Read the settings. Raises: ConfigurationError naming all that is missing or weak at once."""
        env = os.environ if env is None else env
        environment = env.get("ABS_ENV", "development")
        if environment not in {"development", "production", "test"}:
            raise ConfigurationError(f"ABS_ENV={environment}: use development or production")
        instance_dir = Path(env.get("ABS_INSTANCE_DIR") or ROOT_DIR / "instance").absolute()
        secret_key, voucher_key = env.get("ABS_SECRET_KEY", ""), env.get("ABS_VOUCHER_KEY", "")
        problems = _problems(env)
        if environment == "production":
            problems += _production_problems(env)
        elif not (secret_key and voucher_key):
            stored = development_keys(instance_dir)
            secret_key, voucher_key = secret_key or stored["secret_key"], voucher_key or stored["voucher_key"]
        if problems:
            raise ConfigurationError("The app cannot start:\n- " + "\n- ".join(problems))
        return cls(
            environment=cast(Environment, environment),
            instance_dir=instance_dir,
            database_url=_psycopg_url(env.get("DATABASE_URL")),
            secret_key=secret_key,
            voucher_key=voucher_key.encode(),
            municipality=Municipality.load(env.get("ABS_MUNICIPALITY", "almelo")),
            base_url=(env.get("ABS_BASE_URL") or DEFAULT_BASE_URL).rstrip("/"),
            trusted_proxies=int(env.get("ABS_TRUSTED_PROXIES", "0")),
            mail_server=MailServer.parse(env["ABS_SMTP_URL"]) if env.get("ABS_SMTP_URL") else None,
            mail_from=read_address(env["ABS_MAIL_FROM"]) if env.get("ABS_MAIL_FROM") else "",
            media_bucket=Bucket.parse(env["ABS_MEDIA_URL"]) if env.get("ABS_MEDIA_URL") else None,
            openid=OpenId.read(env),
            payments=PaymentSettings.read(env),
            bank_account=BankAccount.read(env),
            map_tiles=MapTiles.read(env),
        )


def _problems(env: Mapping[str, str]) -> list[str]:
    """What is wrong with what was set, wherever the app runs."""
    problems = []
    proxies = env.get("ABS_TRUSTED_PROXIES", "0")
    if not (proxies.isascii() and proxies.isdecimal()):
        problems.append(f"ABS_TRUSTED_PROXIES={proxies}: give the number of proxies before the app")
    try:
        _psycopg_url(env.get("DATABASE_URL"))
    except (ValueError, ArgumentError):  # what was given is not repeated: there may be a password in it
        problems.append("DATABASE_URL is not an address like postgresql://user:password@host/database")
    if not _is_site(env.get("ABS_BASE_URL") or DEFAULT_BASE_URL):
        problems.append("ABS_BASE_URL is not an address like https://buurtsamen.example.nl, without a path")
    return problems + _mail_problems(env) + _media_problems(env) + _problems_of_readers(env)


def _mail_problems(env: Mapping[str, str]) -> list[str]:
    problems = []
    try:
        MailServer.parse(env.get("ABS_SMTP_URL") or "smtp://localhost")
    except ValueError as error:
        problems.append(f"ABS_SMTP_URL cannot be used: {error}")
    try:
        read_address(env.get("ABS_MAIL_FROM") or "nobody@example.org")
    except ValueError:
        problems.append("ABS_MAIL_FROM is not an e-mail address like buurtsamen@example.nl")
    return problems


def _media_problems(env: Mapping[str, str]) -> list[str]:
    if not env.get("ABS_MEDIA_URL"):
        return []
    try:
        Bucket.parse(env["ABS_MEDIA_URL"])
    except ValueError as error:
        return [f"ABS_MEDIA_URL cannot be used: {error}"]
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return [f"{name} is missing: ABS_MEDIA_URL needs it" for name in keys if not env.get(name)]


def _problems_of_readers(env: Mapping[str, str]) -> list[str]:
    problems = []
    for read in (OpenId.read, PaymentSettings.read, BankAccount.read, MapTiles.read):
        try:
            read(env)
        except ValueError as error:
            problems.append(str(error))
    return problems


def _is_site(url: str) -> bool:
    try:
        parts = urlsplit(url.rstrip("/"))
        return (
            bool(parts.hostname)
            and parts.port != 0
            and parts.scheme in {"http", "https"}
            and not (parts.username or parts.password or parts.path or parts.query or parts.fragment)
        )
    except ValueError:
        return False


def _production_problems(env: Mapping[str, str]) -> list[str]:
    problems = []
    for name in ("ABS_SECRET_KEY", "ABS_VOUCHER_KEY"):
        value = env.get(name, "")
        if not value:
            problems.append(f"{name} is missing: set it to the output of `openssl rand -base64 48`")
        elif len(value) < MIN_KEY_CHARACTERS or len(set(value)) < MIN_DISTINCT_CHARACTERS:
            problems.append(f"{name} is weak: use at least {MIN_KEY_CHARACTERS} random characters")
    if env.get("ABS_SECRET_KEY") and env.get("ABS_SECRET_KEY") == env.get("ABS_VOUCHER_KEY"):
        problems.append("ABS_SECRET_KEY and ABS_VOUCHER_KEY are the same: make two")
    if not env.get("DATABASE_URL"):
        problems.append("DATABASE_URL is missing: postgresql://user:password@host/database")
    if not env.get("ABS_BASE_URL", "").startswith("https://"):
        problems.append("ABS_BASE_URL is missing or not https: give the public address of the site")
    if not env.get("ABS_SMTP_URL"):
        problems.append("ABS_SMTP_URL is missing: give your mail server, as smtp://user:password@host:587?starttls")
    if not env.get("ABS_MAIL_FROM"):
        problems.append("ABS_MAIL_FROM is missing: give the address that mail comes from; bounces go there too")
    if "ABS_TRUSTED_PROXIES" not in env:
        problems.append(
            "ABS_TRUSTED_PROXIES is missing: give the number of your proxies before the app (0 for none); "
            "a wrong number makes all visitors one client, or lets them pretend to be others"
        )
    return problems


def _psycopg_url(url: str | None) -> str | None:
    """Accept the address as hosts give it (postgres://, postgresql://) and name the driver. Raises: ValueError."""
    if not url:
        return None
    scheme, _, rest = url.partition("://")
    if scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("not PostgreSQL")
    make_url(f"postgresql+psycopg://{rest}")
    return f"postgresql+psycopg://{rest}"
