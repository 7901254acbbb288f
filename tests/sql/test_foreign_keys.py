"""A violated foreign key of a fork's table gives an error for its field, and never a 401."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import (
    Column,
    ForeignKey,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)
from werkzeug.test import TestResponse

from app.errors import AppError
from app.extensions import db
from app.models.types import Id, uuid7
from app.services.shared.actor import Actor
from app.sql import ROW_KEY, Batch, MissingReference, Statement, StillReferenced, atomic
from app.web.current_user import api_user
from tests.conftest import MakeApp, signed_in_api
from tests.support import leaks
from tests.support.answers import MISSING, slug_of

OF_FORK = MetaData(naming_convention=db.metadata.naming_convention)
TEAMS = Table("teams", OF_FORK, Column("id", Id, primary_key=True))
PROJECTS = Table(
    "projects",
    OF_FORK,
    Column("id", Id, primary_key=True),
    Column("name", String(80)),
    Column("team_id", Id, ForeignKey("teams.id")),
    Column("owner_id", Id, ForeignKey("users.id", ondelete="CASCADE")),
)
FORK = [TEAMS, PROJECTS]
BLANK: dict[str, Any] = {"name": "x", "team_id": None, "owner_id": None}
TEAM_KEY = "fk_projects_team_id_teams"

add_team = Statement[Any](insert(TEAMS))
end_team = Statement[Any](delete(TEAMS).where(TEAMS.c.id == ROW_KEY))
move_team = Statement[Any](update(TEAMS).where(TEAMS.c.id == ROW_KEY).values(id=bindparam("new")))
add = Statement[Any](insert(PROJECTS))
change = Statement[Any](
    update(PROJECTS).where(PROJECTS.c.id == ROW_KEY).values(team_id=bindparam("new_team"))
)
many = Batch(PROJECTS)


@pytest.fixture(autouse=True)
def fork(app: Flask) -> Iterator[Flask]:
    """The app with the tables of a fork."""
    tables = [table.to_metadata(db.metadata) for table in FORK]
    with app.app_context():
        db.metadata.create_all(db.engine, tables=tables)
    yield app
    with app.app_context():
        db.engine.dispose()
        db.metadata.drop_all(db.engine, tables=tables)
    for table in tables:
        db.metadata.remove(table)


def stored() -> list[Any]:
    with db.engine.connect() as connection:
        return list(connection.execute(select(PROJECTS)))


def project(**values: Any) -> dict[str, Any]:
    return {"id": uuid7(), **BLANK, **values}


def team() -> str:
    team_id = uuid7()
    add_team.run(id=team_id)
    return team_id


WRITES: dict[str, Callable[[], object]] = {
    "a row": lambda: add.run(**project(team_id=MISSING)),
    "a row, put off": lambda: add.defer(**project(team_id=MISSING)),
    "many rows": lambda: many.insert([project(team_id=team()), project(team_id=MISSING)]),
    "a change": lambda: change_one(),
}


ENDS: dict[str, Callable[[str], object]] = {
    "its end": lambda team_id: end_team.run(key=team_id),
    "another id": lambda team_id: move_team.run(key=team_id, new=uuid7()),
}


def change_one() -> None:
    values = project(team_id=team())
    add.run(**values)
    change.run(key=values["id"], new_team=MISSING)


@pytest.mark.usefixtures("ctx")
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_missing_reference_names_the_field_and_stores_nothing(write: Callable[[], object]) -> None:
    with pytest.raises(MissingReference) as caught:
        atomic(write)()
    assert (caught.value.status, list(caught.value.fields)) == (422, ["team_id"])
    assert caught.value.constraint == TEAM_KEY
    assert stored() == []


@pytest.mark.usefixtures("ctx")
def test_single_statement_names_the_field_too() -> None:
    with pytest.raises(MissingReference, match="does not exist") as caught:
        add.run(**project(team_id=MISSING))
    assert list(caught.value.fields) == ["team_id"]
    add.run(**project(team_id=team()))
    assert len(stored()) == 1


@pytest.mark.usefixtures("ctx")
def test_one_of_several_keys_is_named() -> None:
    with pytest.raises(MissingReference) as caught:
        add.run(**project(team_id=team(), owner_id=MISSING))
    assert list(caught.value.fields) == ["owner_id"]


@pytest.mark.usefixtures("ctx")
@pytest.mark.parametrize("end", ENDS)
def test_what_others_refer_to_is_kept_with_a_conflict(end: str) -> None:
    team_id = team()
    add.run(**project(team_id=team_id))
    with pytest.raises(StillReferenced) as caught:
        ENDS[end](team_id)
    assert caught.value.status == 409
    assert stored()[0].team_id == team_id


def test_constraint_stands_in_the_log(fork: Flask) -> None:
    before = len(leaks.lines)
    with fork.app_context(), pytest.raises(MissingReference):
        add.run(**project(team_id=MISSING))
    assert TEAM_KEY in "\n".join(leaks.lines[before:])


@pytest.fixture
def served(other_app: MakeApp) -> Flask:
    """A service with a route of the fork, which stores the body."""
    app = other_app()

    def create() -> tuple[str, int]:
        actor, _ = api_user(request.environ)
        if request.args.get("close"):  # as a concurrent request would
            with db.engine.begin() as connection:
                connection.execute(text("DELETE FROM users WHERE id = :id"), {"id": actor.id})
        add.run(**project(**{"owner_id": actor.id, **request.get_json()}))
        return "", 204

    app.add_url_rule("/api/v1/projects", "fork.create", create, methods=["POST"])
    return app


def post(app: Flask, actor: Actor, query: str = "", **values: Any) -> TestResponse:
    return signed_in_api(app, actor).post(f"/projects{query}", values)


@pytest.mark.parametrize("field", ["team_id", "owner_id"])
def test_answer_blames_the_field(served: Flask, ann: Actor, field: str) -> None:
    answer = post(served, ann, **{field: MISSING})
    assert slug_of(answer) == (422, "invalid")
    (error,) = answer.get_json()["errors"]
    assert (error["pointer"], error["code"]) == (f"/{field}", "not_found")


def test_good_reference_is_taken(served: Flask, ann: Actor) -> None:
    assert post(served, ann).status_code == 204


def test_own_account_that_was_closed_meanwhile_is_401(served: Flask, ann: Actor) -> None:
    answer = post(served, ann, "?close=1")
    assert slug_of(answer) == (401, "invalid-token")
    assert "closed in the meantime" in answer.get_json()["detail"]


def test_other_reference_of_a_closed_account_is_not_401(served: Flask, ann: Actor) -> None:
    """Only a foreign key to accounts means a closed account."""
    answer = post(served, ann, "?close=1", team_id=MISSING, owner_id=None)
    assert answer.status_code == 422


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_key_of_a_table_without_a_model_is_a_500_that_names_it(fork: Flask, ann: Actor) -> None:
    sql = "CREATE TABLE stray (team_id uuid CONSTRAINT fk_stray REFERENCES teams)"
    with fork.app_context(), db.engine.begin() as connection:
        connection.execute(text(sql))
    stray = Table("stray", MetaData(), Column("team_id", Id))
    try:
        with fork.app_context(), pytest.raises(Exception, match="fk_stray") as caught:
            Statement[Any](insert(stray)).run(team_id=MISSING)
        assert not isinstance(caught.value, AppError)
    finally:
        with fork.app_context(), db.engine.begin() as connection:
            connection.execute(text("DROP TABLE stray"))
