# SPDX-License-Identifier: EUPL-1.2
"""The platform with which a municipality lets its residents run their own neighbourhood money."""

from __future__ import annotations

from flask import Flask

from abs_platform import database, errors, logs, model_registry, security, templating
from abs_platform.api.routes import init_app as init_api
from abs_platform.config import ROOT_DIR, Settings
from abs_platform.donations.routes import bp as donations_bp
from abs_platform.embedded import start_embedded_postgres
from abs_platform.extensions import babel, csrf
from abs_platform.initiatives.routes import bp as initiatives_bp
from abs_platform.pages.routes import bp as pages_bp
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.vouchers.routes import bp as vouchers_bp

__all__ = ["create_app", "model_registry"]


def create_app(settings: Settings) -> Flask:
    """Build the app: an ordered list of named steps."""
    logs.configure(as_json=settings.is_production)
    app = Flask(
        "abs_platform",
        template_folder=str(ROOT_DIR / "templates"),
        static_folder=str(ROOT_DIR / "static"),
        root_path=str(ROOT_DIR),
    )
    app.extensions["settings"] = settings
    app.extensions["code_keys"] = CodeKeys.derive(settings.voucher_key)
    logs.init_app(app)
    security.init_app(app, settings)
    database.init_app(app, settings.database_url or start_embedded_postgres(settings.instance_dir))
    errors.init_app(app)
    csrf.init_app(app)
    babel.init_app(app, default_locale="nl", default_timezone="Europe/Amsterdam")
    templating.init_app(app, settings)
    for blueprint in (pages_bp, initiatives_bp, vouchers_bp, donations_bp):
        app.register_blueprint(blueprint)
    init_api(app)
    security.check_routes(app)
    return app
