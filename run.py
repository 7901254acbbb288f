"""Entry point: `gunicorn run:app`, and `flask` in this folder (.flaskenv names it)."""

import sys

from app import create_app
from config import SettingsError

try:
    app = create_app()
except SettingsError as error:
    if sys.argv[-1] == "doctor":  # it is asked what is wrong
        sys.exit("\n".join(f"fault: settings: {fault}" for fault in error.faults))
    sys.exit(f"Flagstone cannot start.\n{error}")
