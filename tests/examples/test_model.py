"""examples/model: the forecast is trained on the demo's tasks and served. `make examples` installs
its requirements; without them these tests are skipped."""

import json
import os
import re
import subprocess
from collections.abc import Iterator

import httpx
import pytest

import config
from app.models.types import now
from tests.support.gunicorn_server import running

FOLDER = config.ROOT / "examples" / "model"
PYTHON = FOLDER / ".venv" / "bin" / "python"
pytestmark = pytest.mark.skipif(
    not (FOLDER / ".venv" / "installed").exists(), reason="make examples installs NumPy"
)
CURVE = """
import json
from task_forecast.survival import fit
curve = fit([1, 2, 2, 3, 4], [True, True, False, True, False])
print(json.dumps([curve.days, curve.share, curve.chance(0, 2), curve.chance(2, 1),
                  curve.days_until(0, 0.5), curve.days_until(2.5, 0.5), curve.days_until(0, 0.9)]))
"""


def run(*arguments: str, **settings: str) -> str:
    """Run the example's Python and return its output."""
    environ = {**os.environ, "PYTHONPATH": str(FOLDER), **settings}
    ran = subprocess.run(
        [PYTHON, *arguments],
        cwd=config.ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_curve_is_that_of_kaplan_and_meier() -> None:
    days, share, *answers = json.loads(run("-c", CURVE))
    assert (days, share) == ([1, 2, 3], [0.8, 0.6, 0.3])
    assert answers == [pytest.approx(0.4), pytest.approx(0.5), 3, 0.5, None]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An admin's client of the served example, with the demo's tasks and a trained model."""
    folder = tmp_path_factory.mktemp("model")
    settings = {"PYTHONPATH": str(FOLDER), "MODEL_FOLDER": str(folder / "models")}
    entry = "task_forecast:create_app()"
    with running(folder, entry, PYTHON, WEB_CONCURRENCY="1", **settings) as server:
        settings |= {"DATABASE_URL": f"sqlite:///{folder / 'served.db'}"}
        command = ("-m", "flask", "--app", "task_forecast")
        shown = run(*command, "seed-demo", **settings)
        trained = run(*command, "train-forecast", **settings)
        assert re.search(r"Backtest: of \d+ tasks .* expects \d+ done by now; \d+ are\.", trained)
        username, password = re.findall(r"(\S+) +\S+@\S+ +(\S+)", shown)[0]
        root = f"http://localhost:{server.port}"
        with httpx.Client(base_url=root, timeout=30, follow_redirects=True) as client:
            proof = {"identifier": username, "password": password}
            token = client.post("/api/v1/auth/login", json=proof).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            form = client.get("/auth/login").text
            csrf = re.findall(r'name="csrf_token"[^>]*? value="([^"]+)"', form)[0]
            client.post("/auth/login", data={**proof, "csrf_token": csrf})
            yield client


def task_of(client: httpx.Client, status: str) -> str:
    query = {"status": status, "limit": "1", "sort": "-created_at"}
    page = client.get("/api/v1/tasks", params=query).json()
    identifier: str = page["items"][0]["id"]
    return identifier


def test_open_task_has_a_forecast_with_its_uncertainty(client: httpx.Client) -> None:
    forecast = client.get(f"/api/v1/tasks/{task_of(client, 'todo')}/forecast").json()
    assert now().isoformat() < forecast["early"] < forecast["middle"]
    assert forecast["late"] is None or forecast["late"] > forecast["middle"]
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", forecast["model"])


def test_task_that_is_done_has_no_forecast(client: httpx.Client) -> None:
    answer = client.get(f"/api/v1/tasks/{task_of(client, 'done')}/forecast")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")


def test_page_shows_the_uncertainty_and_the_version(client: httpx.Client) -> None:
    task = task_of(client, "todo")
    forecast = client.get(f"/api/v1/tasks/{task}/forecast").json()
    page = client.get(f"/tasks/{task}/forecast").text
    assert "In eight of ten cases between" in page
    assert f"model {forecast['model']}" in page


def test_document_describes_the_forecast(client: httpx.Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert paths["/api/v1/tasks/{task_id}/forecast"]["get"]["tags"] == ["tasks"]
