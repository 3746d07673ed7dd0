# SPDX-License-Identifier: EUPL-1.2
"""The Flask extensions as bare instances; the factory ties them to an app."""

from flask_babel import Babel
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect

babel = Babel()
csrf = CSRFProtect()
login_manager = LoginManager()
