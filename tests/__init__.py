"""The tests. What needs a database runs on SQLite and on PostgreSQL (tests/conftest.py)."""

import os
import tempfile
from pathlib import Path

# The embedded PostgreSQL looks for a private directory here as soon as it is imported, and warns
# where there is none; warnings are errors.
_runtime = Path(tempfile.gettempdir(), f"runtime-{os.getuid()}")
_runtime.mkdir(mode=0o700, exist_ok=True)
os.environ["XDG_RUNTIME_DIR"] = str(_runtime)
