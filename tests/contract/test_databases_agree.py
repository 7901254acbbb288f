"""SQLite and PostgreSQL give the same answers, byte for byte, except for ids and time stamps."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from app.services.shared.actor import SYSTEM, Actor, scopes_of
from app.services.users import registration
from tests.conftest import PASSWORD, email_of, signed_in_api
from tests.support import corpus
from tests.support.clients import Api
from tests.support.databases import Database

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OF_THE_WRITE = ("created_at", "updated_at", "completed_at")
Play = Callable[[Api], Iterator[tuple[str, Any]]]  # a place and the answer there


def play_lists(api: Api) -> Iterator[tuple[str, Any]]:
    """Yield every page of every list of the corpus."""
    for query in corpus.QUERIES:
        cursor = ""
        while cursor is not None:
            answer = api.get(f"{query}{cursor and f'&cursor={cursor}'}")
            assert answer.status_code == 200, f"{query}: {answer.text}"
            body = answer.get_json()
            cursor = body.pop("next_cursor")
            yield query, (body, cursor is None)


def play_scripts(api: Api) -> Iterator[tuple[str, Any]]:
    """Create, comment, change and find by its label a task in each script."""
    for script, text in corpus.SCRIPTS.items():
        made = api.post("/tasks", {"title": text, "description": text, "labels": [text]})
        path = f"/tasks/{made.get_json()['id']}"
        comment = api.post(f"{path}/comments", {"body": text})
        changed = api.patch(path, {"title": text.upper()}, headers={"If-Match": '"1"'})
        yield script, [said(each) for each in (made, comment, changed)]
        for read in (f"{path}/comments", f"{path}/events", f"/tasks?label={quote(text)}"):
            yield f"{script} {read}", said(api.get(read))
    yield from play_summaries(api)


def play_files(api: Api) -> Iterator[tuple[str, Any]]:
    """Import every file of the corpus, then export all tasks."""
    for name, content in corpus.FILES.items():
        answer = api.call("POST", "/tasks/import", data=content, content_type="text/csv")
        assert (answer.status_code == 201) == (name not in corpus.REFUSED), f"{name}: {answer.text}"
        yield name, said(answer)
    exported = api.get("/tasks/export?format=ndjson&sort=title").text.splitlines()
    yield "export", [json.loads(line) for line in exported]
    yield from play_summaries(api)


def play_summaries(api: Api) -> Iterator[tuple[str, Any]]:
    yield "labels", said(api.get("/tasks/labels"))
    yield "audit", said(api.get("/audit?limit=100"))
    figures = api.get("/tasks/stats").get_json()
    del figures["days"]
    yield "statistics", figures


def said(answer: TestResponse) -> Any:
    """Return the status and the body without the request's id."""
    body = answer.get_json()
    for record in (body, *body.get("items", ())):
        record.pop("request_id", None)
    body.pop("next_cursor", None)
    return [answer.status_code, body]


PLAYS: list[Play] = [play_lists, play_scripts, play_files]


def fill(database: Database) -> Api:
    """Store the corpus in an empty database, and return the client of its owner, an admin."""
    database.empty()
    _ask_on(database)
    with database.app.app_context():
        root = registration.register(SYSTEM, "root", email_of("root"), PASSWORD, "admin")
        for name in corpus.PEOPLE:
            registration.register(Actor(), name, email_of(name), PASSWORD)
    actor = Actor(id=root.id, username="root", role="admin", scopes=scopes_of("admin"))
    api = signed_in_api(database.app, actor)
    for number, body in enumerate(corpus.tasks()):
        made = api.post("/tasks", body)
        assert made.status_code == 201, made.text
        if number % 9 == 8:
            api.delete(f"/tasks/{made.get_json()['id']}")
    return api


def played(database: Database, play: Play) -> list[tuple[str, str]]:
    """Return the answers as text, each id replaced by the number of its first appearance."""
    seen: dict[str, str] = {}
    found = []
    for place, answer in play(fill(database)):
        _ask_on(database)
        text = json.dumps(_without_moments(answer), ensure_ascii=False)
        found.append(
            (place, ID.sub(lambda match: seen.setdefault(match[0], f"#{len(seen)}"), text))
        )
    return found


def _ask_on(database: Database) -> None:
    """Reset the rate limit: the corpus has more requests than a client may send."""
    database.app.extensions["limiter"].local.ends = 0.0


def _without_moments(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: bool(inner) if name in OF_THE_WRITE else _without_moments(inner)
            for name, inner in value.items()
        }
    return list(map(_without_moments, value)) if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.__name__)
def test_both_databases_give_the_same_answers(
    sqlite_database: Database,
    postgresql_database: Database,
    play: Play,
) -> None:
    on_sqlite, on_postgresql = (
        played(database, play) for database in (sqlite_database, postgresql_database)
    )
    assert len(on_sqlite) > len(corpus.FILES)
    differing = [
        (place, one, other)
        for (place, one), (_, other) in zip(on_sqlite, on_postgresql, strict=True)
        if one != other
    ]
    assert differing == []


def test_corpus_has_texts_in_more_than_twenty_scripts() -> None:
    found = {unicodedata.name(text[-1]).split()[0] for text in corpus.SCRIPTS.values()}
    assert found == corpus.SCRIPTS.keys()
    assert len(found) > 20
