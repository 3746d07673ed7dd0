# SPDX-License-Identifier: EUPL-1.2
"""The WSGI entry point: ``gunicorn wsgi:app``."""

from abs_platform import create_app
from abs_platform.config import Settings

app = create_app(Settings.from_env())
