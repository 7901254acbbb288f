"""The worker class depends on the setting and on the version of Gunicorn."""

import subprocess
import sys

import pytest

import config
from app.server.worker_choice import warning, worker_class
from tests.support.gunicorn_server import environ

OURS = "app.server.gunicorn_worker.Worker"


@pytest.mark.parametrize(
    ("setting", "version", "chosen"),
    [
        ("app", "27.0.1", OURS),
        ("app", "27.0.9", OURS),
        ("app", "27.1.0", "gthread"),
        ("app", "27.01", "gthread"),
        ("app", "28.0.0", "gthread"),
        ("gthread", "27.0.1", "gthread"),
        ("gthread", "28.0.0", "gthread"),
    ],
)
def test_our_worker_is_taken_with_a_tested_gunicorn_only(
    setting: str, version: str, chosen: str
) -> None:
    assert worker_class(setting, version) == chosen
    assert bool(warning(setting, version)) == (setting == "app" and chosen == "gthread")


def test_installed_gunicorn_is_a_tested_one() -> None:
    assert (worker_class("app"), warning("app")) == (OURS, "")


@pytest.mark.parametrize(("setting", "changed"), [("app", True), ("gthread", False)])
def test_plain_worker_leaves_gunicorn_as_it_is(setting: str, changed: bool) -> None:
    code = (
        "import gunicorn.app.wsgiapp as g, gunicorn.http.wsgi as w\n"
        "app = g.WSGIApplication(); app.cfg.worker_class\n"
        "print(w.Response.__module__)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, "run:app"],
        cwd=config.ROOT,
        env=environ(WEB_WORKER_CLASS=setting),
        capture_output=True,
        text=True,
        check=True,
    )
    module = "app.server.gunicorn_worker" if changed else "gunicorn.http.wsgi"
    assert found.stdout.strip() == module
