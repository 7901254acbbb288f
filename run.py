"""Entry point: `gunicorn run:app`, and `flask` in this folder (.flaskenv names it)."""

import sys

from app import create_app
from config import SettingsError

try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"Flagstone cannot start.\n{error}")
