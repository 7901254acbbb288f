"""The entry point of `gunicorn run:app` and, by .flaskenv, of `flask` in this folder."""

import gc
import sys

gc.disable()  # imports leave no garbage: collections would cost a twentieth of the start

from app import create_app  # noqa: E402
from config import SettingsError  # noqa: E402

try:
    app = create_app()
except SettingsError as error:
    if sys.argv[-1] == "doctor":  # in the output format of `flask doctor`
        sys.exit("\n".join(f"fault: settings: {fault}" for fault in error.faults))
    sys.exit(f"The service cannot start.\n{error}")
gc.enable()
