# SPDX-License-Identifier: EUPL-1.2
"""A whole journey in a process of its own, with secrets from stdin; tests/test_logs.py reads what it logged."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from sqlalchemy import text
from werkzeug.test import TestResponse

from abs_platform import create_app
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.security import public
from jobs.runner import JobReport, run_job

HOST = "https://buurt.example"


def main(secrets: dict[str, str]) -> None:
    """Do everything that a visitor can do, right and wrong, and let the app break too."""
    app = create_app(Settings.from_env())
    client = app.test_client()

    def send(method: str, path: str, **options: Any) -> TestResponse:
        options.setdefault("base_url", HOST)
        return client.open(path, method=method, environ_base={"REMOTE_ADDR": secrets["address"]}, **options)

    def break_app() -> str:
        code, email = secrets["code"], secrets["email"]
        with transaction() as session:
            session.execute(
                text(
                    "INSERT INTO donations (reference, initiative_id, kind, amount_cents, state, channel, given_at,"
                    " giver_email, message)"
                    " VALUES (:code, :id, 'money', 0, 'confirmed', 'online', now(), :email, :note)"
                ),
                {"code": code, "id": int(secrets["initiative"]), "email": email, "note": secrets["message"]},
            )
        return code + email

    def break_job(_now: object) -> JobReport:
        report = JobReport()
        report.each([1], lambda _item: len(break_app()))
        return report

    code, initiative = secrets["code"], secrets["initiative"]
    for path in ("/", f"/v?code={code}", f"/nergens/{code}", f"/initiatieven?zoek={secrets['email']}"):
        send("GET", path, headers={"Referer": f"{HOST}/v#{code}", "User-Agent": secrets["message"]})
    send("POST", "/voucher", data={"code": code[:-1], "initiative_id": initiative})
    confirm = send("POST", "/voucher", data={"code": code, "initiative_id": initiative}).get_data(as_text=True)
    fields = dict(re.findall(r'name="(csrf_token|idempotency_key)" value="([^"]+)"', confirm))
    form = {"code": code, "initiative_id": initiative, "giver_name": secrets["name"], "message": secrets["message"]}
    form |= {"giver_email": secrets["email"], "wants_news": "on"} | fields
    given = send("POST", "/voucher/geven", data=form, headers={"Referer": f"{HOST}/voucher"})
    print("given", given.status_code)
    send("POST", "/voucher/geven", data=form | {"giver_email": f"{secrets['email']} x"})
    send("POST", "/voucher/geven", data=form | {"csrf_token": "fout"})

    body = {"code": secrets["api_code"], "initiativeId": int(initiative), "giverEmail": secrets["email"]}
    print("api", send("POST", "/api/v1/voucher-donations", json=body).status_code)
    send("POST", "/api/v1/voucher-donations", json=body | {"initiativeId": secrets["email"]})
    send("POST", "/api/v1/voucher-donations", data=f"{{{code}", content_type="application/json")
    last = [send("POST", "/voucher", data={"code": code, "initiative_id": initiative}).status_code for _ in range(12)][
        -1
    ]
    print("guessing", last)

    app.view_functions["pages.home"] = public(break_app)
    print("bug", send("GET", "/").status_code)
    send("GET", "/", base_url=f"https://{secrets['email'].replace('@', '.')}")
    with app.app_context():
        run_job("broken", break_job)
        print("row", db.session.scalar(text("SELECT error FROM job_runs WHERE job = 'broken'")))


if __name__ == "__main__":
    main(json.load(sys.stdin))
