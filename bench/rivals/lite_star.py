"""Litestar with msgspec and asyncpg, under Granian."""

import json
import sys
import uuid
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from asyncpg import Connection
from litestar import Litestar, Request, Response, get, patch, post
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotAuthorizedException, NotFoundException
from litestar.params import Parameter
from msgspec import UNSET, Meta, Struct, UnsetType

from bench.rivals import asyncpg_tasks as database

Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Description = Annotated[str, Meta(max_length=10_000)]
Labels = Annotated[list[Annotated[str, Meta(min_length=1, max_length=50)]], Meta(max_length=20)]
Moment = Annotated[datetime, Meta(tz=True)]
Status = Literal["todo", "in_progress", "done", "cancelled"]
Priority = Literal["low", "normal", "high", "urgent"]


class TaskIn(Struct, forbid_unknown_fields=True):
    title: Title
    description: Description = ""
    status: Status = "todo"
    priority: Priority = "normal"
    due_at: Moment | None = None
    labels: Labels = []
    assignee_id: uuid.UUID | None = None


class TaskChanges(Struct, forbid_unknown_fields=True):
    title: Title | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    due_at: Moment | UnsetType | None = UNSET
    labels: Labels | UnsetType = UNSET
    assignee_id: uuid.UUID | UnsetType | None = UNSET


class Task(Struct):
    id: uuid.UUID
    title: str
    description: str
    status: str
    priority: str
    due_at: datetime | None
    labels: list[str]
    owner_id: uuid.UUID
    assignee_id: uuid.UUID | None
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class Page(Struct):
    items: list[Task]
    total: int


async def connection(state: State):
    async with state.pool.acquire() as held:
        yield held


async def holder(request: Request, held: Connection) -> uuid.UUID:
    hashed = database.digest(request.headers.get("Authorization", ""))
    user_id = await held.fetchval(database.HOLDER, hashed)
    if user_id is None:
        raise NotAuthorizedException
    return user_id


def tagged(row, status=200) -> Response[Task]:
    headers = {"ETag": f'"{row["version"]}"'}
    return Response(Task(*row.values()), status_code=status, headers=headers)


@get("/{task_id:uuid}")
async def show(task_id: uuid.UUID, user: uuid.UUID, held: Connection) -> Response[Task]:
    row = await held.fetchrow(database.GET, user, task_id)
    if row is None:
        raise NotFoundException
    return tagged(row)


@get("/")
async def index(
    user: uuid.UUID,
    held: Connection,
    limit: Annotated[int, Parameter(ge=1, le=100)] = 20,
    offset: Annotated[int, Parameter(ge=0)] = 0,
) -> Page:
    rows = await held.fetch(database.LIST, user, limit, offset)
    total = await held.fetchval(database.COUNT, user)
    return Page([Task(*row.values()) for row in rows], total)


@post("/")
async def create(data: TaskIn, user: uuid.UUID, held: Connection) -> Response[Task]:
    values = msgspec.structs.astuple(data)
    return tagged(await held.fetchrow(database.INSERT, uuid.uuid4(), user, *values), 201)


@patch("/{task_id:uuid}")
async def change(
    task_id: uuid.UUID,
    data: TaskChanges,
    user: uuid.UUID,
    held: Connection,
    if_match: Annotated[str, Parameter(header="If-Match", pattern=r'^"[0-9]{1,9}"$')],
) -> Response[Task]:
    changes = {
        name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET
    }
    version = int(if_match.strip('"'))
    statement = database.update(changes)
    row = await held.fetchrow(statement, user, task_id, version, *changes.values())
    if row is None:
        raise HTTPException(status_code=412)
    return tagged(row)


@asynccontextmanager
async def lifespan(app):
    async with database.connect() as app.state.pool:
        yield


application = Litestar(
    [show, index, create, change],
    path="/api/v1/tasks",
    dependencies={"held": Provide(connection), "user": Provide(holder)},
    lifespan=[lifespan],
)

if __name__ == "__main__":
    print(json.dumps(database.fill(int(sys.argv[1]))))
