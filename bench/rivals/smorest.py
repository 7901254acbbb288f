"""Flask with Flask-SQLAlchemy's ORM, Flask-Login and flask-smorest."""

import json
import os
import secrets
import sys
import uuid
from datetime import UTC, datetime

from flask import Flask
from flask.views import MethodView
from flask_login import LoginManager, UserMixin, current_user, login_required
from flask_smorest import Api, Blueprint, Page
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, fields, validate
from sqlalchemy import ARRAY, ForeignKey, Index, String, or_
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import DateTime

application = Flask(__name__)
application.config.update(
    API_TITLE="Tasks",
    API_VERSION="v1",
    OPENAPI_VERSION="3.1.0",
    SQLALCHEMY_DATABASE_URI=os.environ["DATABASE_URL"].replace(
        "postgresql://", "postgresql+psycopg2://"
    ),
)


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(application, model_class=Base)
login_manager = LoginManager(application)
blp = Blueprint("tasks", "tasks", url_prefix="/api/v1/tasks")
blp.DEFAULT_PAGINATION_PARAMETERS = {"page": 1, "page_size": 20, "max_page_size": 100}


def now():
    return datetime.now(UTC)


class User(UserMixin, db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(80), unique=True)


class Token(db.Model):
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    user: Mapped[User] = relationship()


class Task(db.Model):
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(String(16), default="todo")
    priority: Mapped[str] = mapped_column(String(16), default="normal")
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    labels: Mapped[list[str]] = mapped_column(ARRAY(String(50)), default=list)
    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey(User.id))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)
    version: Mapped[int] = mapped_column(default=1)
    __table_args__ = (Index("ix_task_owner", "owner_id", "created_at", "id"),)


class TaskSchema(Schema):
    id = fields.UUID(dump_only=True)
    title = fields.String(required=True, validate=validate.Length(1, 200))
    description = fields.String(validate=validate.Length(max=10_000))
    status = fields.String(validate=validate.OneOf(("todo", "in_progress", "done", "cancelled")))
    priority = fields.String(validate=validate.OneOf(("low", "normal", "high", "urgent")))
    due_at = fields.AwareDateTime(allow_none=True)
    labels = fields.List(fields.String(validate=validate.Length(1, 50)))
    owner_id = fields.Integer(dump_only=True)
    assignee_id = fields.Integer(allow_none=True)
    completed_at = fields.AwareDateTime(dump_only=True)
    created_at = fields.AwareDateTime(dump_only=True)
    updated_at = fields.AwareDateTime(dump_only=True)
    version = fields.Integer(dump_only=True)


class CursorPage(Page):
    @property
    def item_count(self):
        return self.collection.count()


@login_manager.request_loader
def load_user(request):
    key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = db.session.get(Token, key)
    return token.user if token else None


def mine():
    owned_or_assigned = or_(Task.owner_id == current_user.id, Task.assignee_id == current_user.id)
    return db.session.query(Task).filter(owned_or_assigned)


@blp.route("")
class Tasks(MethodView):
    decorators = (login_required,)

    @blp.response(200, TaskSchema(many=True))
    @blp.paginate(CursorPage)
    def get(self):
        return mine().order_by(Task.created_at.desc(), Task.id.desc())

    @blp.arguments(TaskSchema)
    @blp.response(201, TaskSchema)
    def post(self, values):
        task = Task(**values, owner_id=current_user.id)
        db.session.add(task)
        db.session.commit()
        return task


@blp.route("/<uuid:task_id>")
class OneTask(MethodView):
    decorators = (login_required,)

    @blp.response(200, TaskSchema)
    def get(self, task_id):
        return mine().filter(Task.id == task_id).first_or_404()

    @blp.arguments(TaskSchema(partial=True))
    @blp.response(200, TaskSchema)
    def patch(self, values, task_id):
        task = mine().filter(Task.id == task_id).first_or_404()
        for name, value in values.items():
            setattr(task, name, value)
        db.session.commit()
        return task


Api(application).register_blueprint(blp)


def fill(tasks):
    with application.app_context():
        db.create_all()
        users = [User(username=f"user{n}") for n in range(1000)]
        db.session.add_all(users)
        db.session.flush()
        reader, writer, *others = (user.id for user in users)
        owners = [reader] * 48 + [writer] * 48
        owners += [others[n % len(others)] for n in range(tasks - len(owners))]
        rows = [
            {"id": uuid.uuid4(), "title": f"Task {n}", "description": "plan " * 8,
             "owner_id": owner, "labels": ["home", "work"]}
            for n, owner in enumerate(owners)
        ]  # fmt: skip
        db.session.execute(db.insert(Task), rows)
        keys = [secrets.token_hex(20) for _ in range(2)]
        db.session.add_all(Token(key=keys[n], user_id=(reader, writer)[n]) for n in range(2))
        db.session.commit()
        ids = [str(row["id"]) for row in rows[:96]]
        return [*keys, "", ids[:48], ids[48:]]


if __name__ == "__main__":
    print(json.dumps(fill(int(sys.argv[1]))))
