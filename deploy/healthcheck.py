"""The image's health check: exit status 0 where /healthz answers.

With the name of a file, for the worker: where that was touched within two minutes.
"""

import os
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

QUIET_MAX = 120  # seconds


def of_web(port: int) -> str:
    """What is wrong, "" for nothing."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"/healthz does not answer: {error}"
    return "" if status == 200 else f"/healthz answers with {status}"


def of_worker(heartbeat: Path) -> str:
    try:
        quiet = time.time() - heartbeat.stat().st_mtime
    except OSError as error:
        return f"The worker does not show: {error}"
    return "" if quiet < QUIET_MAX else f"The worker has not shown for {quiet:.0f} s"


if __name__ == "__main__":
    files = sys.argv[1:]
    wrong = of_worker(Path(files[0])) if files else of_web(int(os.environ.get("PORT") or 8000))
    sys.exit(wrong or None)
