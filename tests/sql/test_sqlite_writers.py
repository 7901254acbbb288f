"""Many concurrent writers on SQLite: each waits for the lock, none gets "database is locked"."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import orjson

from app.models import AuditEvent, Task
from app.services.access import token_pairs
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from app.services.users import registration
from tests.conftest import PASSWORD
from tests.support.databases import close, make_app
from tests.support.gunicorn_server import Server, read, running
from tests.support.rows import rows

CLIENTS, TURNS = 32, 6


def test_32_clients_that_write_at_once_are_all_served(tmp_path: Path) -> None:
    with running(tmp_path, WEB_THREADS=str(CLIENTS // 2)) as server:
        app = make_app(f"sqlite:///{tmp_path / 'served.db'}")
        with app.app_context():
            user = registration.register(Actor(), "ann", "ann@example.com", PASSWORD)
            token = token_pairs.sign_in(Actor(), "ann", PASSWORD).access_token
            task = tasks.create(Actor(id=user.id), {"title": "Everybody's"})
        together = Barrier(CLIENTS)
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = [
                pool.submit(write, server, together, token, task.id, n) for n in range(CLIENTS)
            ]
            statuses = Counter(status for answer in answers for status in answer.result())
        assert statuses == {201: CLIENTS * TURNS, 200: CLIENTS * TURNS}
        assert "locked" not in server.log.read_text()
    with app.app_context():
        assert len(rows(Task)) == CLIENTS * TURNS + 1
        assert len(rows(AuditEvent, action="task.created")) == CLIENTS * TURNS + 1
        assert rows(Task, id=task.id)[0].version == CLIENTS * TURNS + 1
    close(app)


def write(server: Server, together: Barrier, token: str, task_id: str, client: int) -> list[int]:
    """Create tasks and change the shared one, alternately, over one connection."""
    statuses = []
    with server.connect() as connection:
        together.wait()
        for turn in range(TURNS):
            body = orjson.dumps({"title": f"{client}.{turn}"})
            for line in ("POST /api/v1/tasks", f"PATCH /api/v1/tasks/{task_id}"):
                head = (
                    f"{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                )
                connection.sendall(head.encode() + body)
                statuses.append(read(connection).status)
    return statuses
