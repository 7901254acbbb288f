"""A test of the app with the newest Flask and Werkzeug of the package index, pre-releases too.

`make prereleases` installs the locked requirements into a temporary virtual environment, then the
newest Flask and Werkzeug, creates the app there and requests /healthz. A fault is a warning and no
failure, because the lock does not name those releases yet. Arguments replace the two packages, as
for pip: `python -m tools.try_prereleases ../flask werkzeug`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
PACKAGES = ("flask", "werkzeug")
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
LOCK = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", "requirements.txt"]
VERSIONS = (
    "from importlib.metadata import version\n"
    "print(*(f'{name} {version(name)}' for name in ('flask', 'werkzeug')), sep=', ')\n"
)
ASK = """
import config
from app import create_app

settings = {"APP_ENV": "testing", "SECRET_KEY": "0123456789abcdef-of-the-tests-alone"}
app = create_app(config.load({**settings, "DATABASE_URL": "sqlite:////dev"}))
answer = app.test_client().get("/healthz")
assert (answer.status_code, answer.json) == (200, {"status": "ok"}), (answer.status, answer.data)
"""


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def must(done: subprocess.CompletedProcess[str]) -> str:
    """Return the output. Exits if the command failed."""
    if done.returncode:
        sys.exit(f"Nothing was tried: {done.args[:6]} failed.\n{done.stderr}")
    return done.stdout.strip()


def main(packages: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        must(run(Path(sys.executable), "-m", "venv", folder))
        python = Path(folder, "bin", "python")
        must(run(python, *PIP, *LOCK))
        locked = must(run(python, "-c", VERSIONS))
        must(run(python, *PIP, "--upgrade", "--pre", *packages))
        newest = must(run(python, "-c", VERSIONS))
        asked = run(python, "-W", "default", "-c", ASK)
    if newest == locked:
        print(f"The index holds nothing newer than the lock: {locked}.")
    if asked.stderr:  # a traceback, or deprecation warnings
        print(asked.stderr)
    if asked.returncode:
        prefix = "::warning::" if "GITHUB_ACTIONS" in os.environ else "Warning: "
        print(f"{prefix}The app does not work with {newest}.")
    else:
        print(f"The app works with {newest}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(PACKAGES)))
