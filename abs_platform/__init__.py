# SPDX-License-Identifier: EUPL-1.2
"""The platform with which a municipality lets its residents run their own neighbourhood money."""

from __future__ import annotations

from flask import Flask

from abs_platform import (
    database,
    errors,
    languages,
    logs,
    model_registry,
    outbox,
    page_memory,
    quick_templates,
    security,
    templating,
    uploads,
)
from abs_platform.accounts import login, routes_oidc
from abs_platform.api.routes import init_app as init_api
from abs_platform.blueprints import BLUEPRINTS, DEMO_BLUEPRINTS
from abs_platform.config import ROOT_DIR, Settings
from abs_platform.embedded import start_embedded_postgres
from abs_platform.extensions import csrf
from abs_platform.payments.stripe_adapter import make_provider
from abs_platform.static_files import Site, finish_file
from abs_platform.storage import make_store
from abs_platform.vouchers.codes import CodeKeys

__all__ = ["create_app", "model_registry"]


def create_app(settings: Settings) -> Flask:
    """Build the app: an ordered list of named steps."""
    logs.configure(as_json=settings.is_production)
    app = Site(
        "abs_platform",
        template_folder=str(ROOT_DIR / "templates"),
        static_folder=str(ROOT_DIR / "static"),
        root_path=str(ROOT_DIR),
    )
    app.extensions["settings"] = settings
    app.extensions["code_keys"] = CodeKeys.derive(settings.voucher_key)
    app.extensions["file_store"] = make_store(settings)
    app.extensions["payments"] = make_provider(settings.payments)
    logs.init_app(app)
    page_memory.stand_at_the_door(app)
    security.init_app(app, settings)
    page_memory.init_app(app, is_on=settings.environment != "test")
    app.after_request(finish_file)
    uploads.init_app(app)
    database.init_app(app, settings.database_url or start_embedded_postgres(settings.instance_dir))
    errors.init_app(app)
    csrf.init_app(app)
    login.init_app(app)
    languages.init_app(app, settings.municipality.languages, settings.municipality.catalogues)
    templating.init_app(app, settings)
    quick_templates.init_app(app)
    outbox.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    routes_oidc.init_app(app, settings)
    for blueprint in () if settings.is_production else DEMO_BLUEPRINTS:
        app.register_blueprint(blueprint)
    init_api(app)
    security.check_routes(app)
    return app
