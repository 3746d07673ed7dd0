# SPDX-License-Identifier: EUPL-1.2
"""``python -m abs_platform.demo.stripe``: the stand-in for Stripe as a program of its own, on this machine only."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click
from werkzeug.serving import make_server

from abs_platform.demo.stripe.account import Account
from abs_platform.demo.stripe.deliveries import Sender
from abs_platform.demo.stripe.faults import Faults
from abs_platform.demo.stripe.server import make_app
from abs_platform.demo.stripe.store import Store

HOST = "127.0.0.1"
HOLD_SECONDS = 3.0


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=5001, show_default=True)
@click.option("--store", "path", type=click.Path(dir_okay=False), default=":memory:", help="Where it remembers.")
@click.option("--webhook-url", default="", help="Where events are sent; nowhere without it.")
@click.option("--webhook-secret", envvar="ABS_STRIPE_WEBHOOK_SECRET", default="", help="whsec_..., which signs them.")
def main(port: int, path: str, webhook_url: str, webhook_secret: str) -> None:
    """Play Stripe until Ctrl-C. No money moves."""
    if webhook_url and not webhook_secret.startswith("whsec_"):
        raise click.BadParameter("give one that begins with whsec_", param_hint="--webhook-secret")
    if path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    store = Store(path)
    account = Account(store, Faults(hold_seconds=HOLD_SECONDS), base_url=f"http://{HOST}:{port}")
    sender = Sender(account, secret=webhook_secret, url=webhook_url)
    server = make_server(HOST, port, make_app(account), threaded=True)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: threading.Thread(target=server.shutdown).start())
    if webhook_url:
        sender.start()
    click.echo(f"Demo: geen echt geld. http://{HOST}:{port}/_stand-in")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        if webhook_url:
            sender.stop()
        store.close()


if __name__ == "__main__":
    main()
