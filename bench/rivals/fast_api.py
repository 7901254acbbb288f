"""FastAPI with pydantic and asyncpg, under uvicorn."""

import json
import sys
import uuid
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Literal

from asyncpg import Connection
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from bench.rivals import asyncpg_tasks as database

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=50)]
Status = Literal["todo", "in_progress", "done", "cancelled"]
Priority = Literal["low", "normal", "high", "urgent"]


class TaskIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: Title
    description: Annotated[str, Field(max_length=10_000)] = ""
    status: Status = "todo"
    priority: Priority = "normal"
    due_at: AwareDatetime | None = None
    labels: Annotated[list[Label], Field(max_length=20)] = []
    assignee_id: uuid.UUID | None = None


class TaskChanges(TaskIn):
    title: Title = ""


class Task(TaskIn):
    model_config = ConfigDict(extra="ignore")
    id: uuid.UUID
    owner_id: uuid.UUID
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class Page(BaseModel):
    items: list[Task]
    total: int


@asynccontextmanager
async def lifespan(app):
    async with database.connect() as app.state.pool:
        yield


application = FastAPI(lifespan=lifespan)


async def connection(request: Request):
    async with request.app.state.pool.acquire() as held:
        yield held


Held = Annotated[Connection, Depends(connection)]


async def holder(held: Held, authorization: Annotated[str, Header()] = ""):
    user_id = await held.fetchval(database.HOLDER, database.digest(authorization))
    if user_id is None:
        raise HTTPException(401)
    return user_id


Holder = Annotated[uuid.UUID, Depends(holder)]


def tagged(response, row, missing=404):
    if row is None:
        raise HTTPException(missing)
    response.headers["ETag"] = f'"{row["version"]}"'
    return dict(row)


@application.get("/api/v1/tasks/{task_id}", response_model=Task)
async def show(task_id: uuid.UUID, user: Holder, held: Held, response: Response):
    return tagged(response, await held.fetchrow(database.GET, user, task_id))


@application.get("/api/v1/tasks", response_model=Page)
async def index(
    user: Holder,
    held: Held,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
):
    rows = await held.fetch(database.LIST, user, limit, offset)
    return {
        "items": [dict(row) for row in rows],
        "total": await held.fetchval(database.COUNT, user),
    }


@application.post("/api/v1/tasks", response_model=Task, status_code=201)
async def create(body: TaskIn, user: Holder, held: Held, response: Response):
    values = body.model_dump().values()
    return tagged(response, await held.fetchrow(database.INSERT, uuid.uuid4(), user, *values))


@application.patch("/api/v1/tasks/{task_id}", response_model=Task)
async def change(
    task_id: uuid.UUID,
    body: TaskChanges,
    user: Holder,
    held: Held,
    response: Response,
    if_match: Annotated[str, Header(pattern=r'^"[0-9]{1,9}"$')],
):
    changes = body.model_dump(exclude_unset=True)
    version = int(if_match.strip('"'))
    statement = database.update(changes)
    row = await held.fetchrow(statement, user, task_id, version, *changes.values())
    return tagged(response, row, missing=412)


if __name__ == "__main__":
    print(json.dumps(database.fill(int(sys.argv[1]))))
