# SPDX-License-Identifier: EUPL-1.2
"""``abs demo``: the whole town on this machine, with web server, jobs and bank, and ``abs demo load`` without them."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType

import click
from flask import current_app
from flask.cli import with_appcontext

from abs_platform import clock, migrating
from abs_platform.config import ROOT_DIR, Settings
from abs_platform.database import db
from abs_platform.demo.loading import account_of, bank_file, is_loaded, load
from abs_platform.demo.people import unused_codes

HOST = "127.0.0.1"
PORT = 5000
CODES_SHOWN = 5
START_SECONDS = 60
STOP_SECONDS = 20


@click.group(invoke_without_command=True)
@click.option("--port", type=click.IntRange(1, 65534), default=PORT, show_default=True)
@click.pass_context
@with_appcontext
def demo(context: click.Context, port: int) -> None:
    """Start de demo; Ctrl-C stopt haar. Opnieuw gestart gaat zij verder met wat er is."""
    settings: Settings = current_app.extensions["settings"]
    if settings.is_production:
        raise click.ClickException("de demo draait niet in productie (ABS_ENV=production).")
    if context.invoked_subcommand is None:
        for wanted in (port, port + 1):
            _refuse_busy_port(wanted)
        _load_once(settings, port)
        _serve(settings, port)


@demo.command("load")
@with_appcontext
def demo_load() -> None:
    """Vul een lege database met de demo, zonder haar te starten."""
    _load_once(current_app.extensions["settings"], PORT)
    click.echo("De demo staat in de database.")


def _load_once(settings: Settings, port: int) -> None:
    migrating.upgrade()
    if is_loaded(db.session()):
        return
    started = time.monotonic()
    keys, store = current_app.extensions["code_keys"], current_app.extensions["file_store"]
    site = replace(settings, base_url=f"http://{HOST}:{port}")
    load(site, keys, store, click.echo, bank_url=f"http://{HOST}:{port + 1}")
    click.echo(f"Klaar in {time.monotonic() - started:.0f} seconden.")


def _refuse_busy_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise click.ClickException(f"poort {port} is bezet. Kies een andere: abs demo --port {port + 2}") from error


def _serve(settings: Settings, port: int) -> None:
    base_url = f"http://{HOST}:{port}"
    money = money_env(settings, os.environ, port + 1)
    env = os.environ | money | {"ABS_BASE_URL": base_url, "PYTHONUNBUFFERED": "1"}
    web = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--workers", "2", "--threads", "4"]
    commands = [[*web, "--no-control-socket", "wsgi:app"], [sys.executable, "-m", "jobs"]]
    if "ABS_STRIPE_URL" in money:
        commands.append(_bank(settings, base_url, port + 1))
    log_path = settings.instance_dir / "demo.log"
    with log_path.open("ab") as log:
        processes = [
            subprocess.Popen(command, cwd=ROOT_DIR, env=env, stdout=log, stderr=log, start_new_session=True)
            for command in commands
        ]
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _wait_until_ready(base_url, processes, log_path)
        _show(settings, base_url, log_path, bank_url=money.get("ABS_STRIPE_URL", ""))
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        raise click.ClickException(f"de demo is gestopt; in {log_path} staat waarom.")
    except KeyboardInterrupt:
        click.echo("\nDe demo stopt. Alles blijft bewaard.")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            _wait(process)


def money_env(settings: Settings, env: Mapping[str, str], port: int) -> dict[str, str]:
    """Where the demo takes money and pays from: the demo bank on this port, unless the settings name another."""
    found = {}
    if settings.payments is None:
        found = {
            "ABS_STRIPE_URL": f"http://{HOST}:{port}",
            "ABS_STRIPE_KEY": f"sk_test_demo{secrets.token_hex(8)}",
            "ABS_STRIPE_WEBHOOK_SECRET": f"whsec_demo{secrets.token_hex(16)}",
            "ABS_STRIPE_METHODS": env.get("ABS_STRIPE_METHODS", ""),
        }
    if settings.bank_account is None:
        account = account_of(settings)
        found |= {"ABS_BANK_IBAN": account.iban, "ABS_BANK_HOLDER": account.holder}
    return found


def _bank(settings: Settings, base_url: str, port: int) -> list[str]:
    bank = [sys.executable, "-m", "abs_platform.demo.stripe", "--port", str(port)]
    bank += ["--store", str(bank_file(settings))]
    return [*bank, "--webhook-url", f"{base_url}/webhooks/stripe"]


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(base_url: str, processes: list[subprocess.Popen[bytes]], log_path: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and all(process.poll() is None for process in processes):
        try:
            with urllib.request.urlopen(f"{base_url}/readyz", timeout=2) as answer:  # noqa: S310 - our own http address
                if json.load(answer)["status"] == "ok":
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise click.ClickException(f"de webserver wordt niet wakker; in {log_path} staat waarom.")


def _show(settings: Settings, base_url: str, log_path: Path, *, bank_url: str) -> None:
    codes = unused_codes(db.session(), current_app.extensions["code_keys"], CODES_SHOWN, clock.now())
    db.session.rollback()
    click.echo(f"\n{settings.municipality.site_name} draait.\n")
    click.echo(f"  Kijk rond          {base_url}/")
    click.echo(f"  Geef een voucher   {base_url}/voucher")
    click.echo(f"  Log in             {base_url}/demo   (wie je kunt zijn, en hoe)")
    click.echo(f"  De mails           {base_url}/demo/mail")
    click.echo(f"  De API             {base_url}/api/v1/openapi.json")
    click.echo(f"  Het kasboek        {base_url}/kasboek")
    if bank_url:
        click.echo(f"  De Demo-bank       {bank_url}/_stand-in   (geen echt geld)")
    if codes:
        click.echo(f"\n  Codes om te proberen: {'  '.join(codes)}")
        click.echo(f"  Zoals uit de QR van de brief: {base_url}/v#{codes[0]}")
    click.echo(f"\n  De boeken nakijken: bin/abs ledger check\n  Logboek: {log_path}\n  Stoppen: Ctrl-C\n")
