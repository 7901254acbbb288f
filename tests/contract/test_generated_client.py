"""A client generated from the committed OpenAPI document works against the service."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import config
from app.services.access import token_pairs
from app.services.shared.actor import Actor
from tests.conftest import PASSWORD
from tests.support.live import served

pytestmark = pytest.mark.slow

NAME = "generated_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the generated package, importable by NAME."""
    folder = tmp_path_factory.mktemp("generated")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    document = str(config.ROOT / "docs" / "openapi.json")
    subprocess.run(
        [*command, "--path", document, "--output-path", str(folder / NAME)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def part(name: str) -> Any:
    return importlib.import_module(f"{NAME}.{name}")


@pytest.mark.usefixtures("generated")
def test_a_task_is_made_read_changed_and_removed(app: Flask, ann: Actor) -> None:
    with app.app_context():
        token = token_pairs.sign_in(Actor(), ann.username, PASSWORD).access_token
    with served(app) as port:
        client = part("client").AuthenticatedClient(f"http://127.0.0.1:{port}", token)
        with client:
            body = part("models.task_in").TaskIn(title="Pick plums", labels=["garden"])
            made = part("api.tasks.create_task").sync(client=client, body=body)
            changes = part("models.task_in_partial").TaskInPartial(title="Pick all plums")
            update = part("api.tasks.update_task").sync_detailed
            changed = update(made.id, client=client, body=changes, if_match='"1"')
            stale = update(made.id, client=client, body=changes, if_match='"1"')
            page = part("api.tasks.list_tasks").sync(client=client, label=["garden"])
            part("api.tasks.delete_task").sync_detailed(made.id, client=client)
            gone = part("api.tasks.get_task").sync(made.id, client=client)
    assert (changed.parsed.title, stale.status_code) == ("Pick all plums", 412)
    assert [task.id for task in page.items] == [made.id]
    assert gone.type_ == "/problems/not-found"


@pytest.mark.usefixtures("generated")
def test_a_file_is_imported_with_its_warnings(app: Flask, ann: Actor) -> None:
    with app.app_context():
        token = token_pairs.sign_in(Actor(), ann.username, PASSWORD).access_token
    content = BytesIO(b"title;assignee\nPlums;ann\nPears;carol\n")
    with served(app) as port:
        client = part("client").AuthenticatedClient(f"http://127.0.0.1:{port}", token)
        with client:
            file = part("types").File(content, "tasks.csv", "text/csv")
            body = part("models.import_tasks_files_body").ImportTasksFilesBody(file)
            made = part("api.tasks.import_tasks").sync(
                client=client, body=body, idempotency_key="of-the-client"
            )
    (warning,) = made.warnings
    assert (made.created, warning.line, warning.pointer) == (2, 3, "/assignee")
    assert warning.code == "not_found"
