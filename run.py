"""Entry point: `gunicorn run:app`, and `flask` in this folder (.flaskenv names it)."""

import gc
import sys

gc.disable()  # all that is loaded stays: looking for garbage in it is a twentieth of the start

from app import create_app  # noqa: E402
from config import SettingsError  # noqa: E402

try:
    app = create_app()
except SettingsError as error:
    if sys.argv[-1] == "doctor":  # it is asked what is wrong
        sys.exit("\n".join(f"fault: settings: {fault}" for fault in error.faults))
    sys.exit(f"Flagstone cannot start.\n{error}")
gc.enable()
