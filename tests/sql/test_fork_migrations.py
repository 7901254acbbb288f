"""A fork adds a table: `flask db migrate` writes a migration that runs, on both databases."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.types import TypeDecorator, TypeEngine

import config
from app.models import types
from tests.support.databases import PostgresServer

RUFF = Path(sysconfig.get_path("scripts")) / "ruff"
COPIED = ("app", "migrations", "environment", "config.py", "run.py", ".flaskenv", "pyproject.toml")
MODEL = '''"""Projects."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Numeric, String, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON, TypeDecorator

from app.models.base import Base
from app.models.types import Id, Json, PlainText, Ranked
from app.models.types import SearchWords, TextList, UTCDateTime, now, uuid7


class Trimmed(TypeDecorator[str]):
    """A type of the fork's own."""

    impl = String(40)
    cache_ok = True


class Project(Base):
    __tablename__ = "projects"
    __table_args__ = (CheckConstraint("version >= 1", "version"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=uuid7)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(PlainText)
    size: Mapped[str] = mapped_column(Ranked(("small", "large")), default="small")
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    tags: Mapped[list[str]] = mapped_column(TextList, default=list)
    terms: Mapped[str | None] = mapped_column(SearchWords)
    words: Mapped[list[str]] = mapped_column(JSON().with_variant(ARRAY(Text()), "postgresql"))
    slug: Mapped[str] = mapped_column(Trimmed)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    image: Mapped[bytes | None] = mapped_column(LargeBinary)
    price: Mapped[float] = mapped_column(Numeric(10, 2))
    is_open: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    version: Mapped[int] = mapped_column(default=1)


Index("ix_projects_title", func.lower(Project.title), Project.id)
Index(
    "ix_projects_blank",
    Project.created_at,
    sqlite_where=Project.image.is_(None),
    postgresql_where=Project.image.is_(None),
)
'''
COLUMN = "    color: Mapped[str | None] = mapped_column(String(20))\n    is_open"
INDEX = '\nIndex("ix_projects_slug", func.lower(Project.slug))\n'


# Runs `flask db` commands one after the other in the folder of the fork.
DRIVER = """
import shlex
import sys

from app import create_app

runner = create_app().test_cli_runner()
for line in sys.argv[1:]:
    result = runner.invoke(args=["db", *shlex.split(line)])
    print(result.output)
    if result.exception is not None:
        raise result.exception
"""
LATER = (
    MODEL.replace(
        "    is_open", "    color: Mapped[str | None] = mapped_column(String(9))\n    is_open"
    ).replace('Index("ix_projects_title", func.lower(Project.title), Project.id)', "")
    + '\nIndex("ix_projects_slug", func.lower(Project.slug))\n'
)


@dataclass(frozen=True)
class Fork:
    """A copy of the project with another model, for the database at `url`."""

    folder: Path
    url: str

    def run(self, *commands: str, url: str = "") -> str:
        """Run `flask db` commands, which must succeed, and return their output."""
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, *commands],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "APP_ENV": "testing",
                "SECRET_KEY": "0123456789abcdef-of-the-tests-alone",
                "DATABASE_URL": url or self.url,
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        return said

    @property
    def model(self) -> Path:
        return self.folder / "app" / "models" / "project.py"

    @property
    def migration(self) -> Path:
        (found,) = self.folder.glob("migrations/versions/*_projects.py")
        return found

    def copy(self, folder: Path) -> "Fork":
        shutil.copytree(self.folder, folder)
        return Fork(folder, self.url)


NewDatabase = Callable[[str], str]


@pytest.fixture(scope="module")
def new_database(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> NewDatabase:
    """A function that creates an empty database of the named kind, and returns its URL."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('database') / 'new.db'}"
        return postgres.create(f"f{uuid.uuid4().hex[:8]}")

    return make


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fork(
    request: pytest.FixtureRequest,
    new_database: NewDatabase,
    tmp_path_factory: pytest.TempPathFactory,
) -> Fork:
    """A fork with the migration that `flask db migrate` wrote on either database."""
    folder = tmp_path_factory.mktemp("fork") / "project"
    folder.mkdir()
    for name in COPIED:
        source, target = config.ROOT / name, folder / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "static", "templates")
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copyfile(source, target)
    made = Fork(folder, new_database(request.param))
    made.model.write_text(MODEL, encoding="utf-8")
    with (folder / "app" / "models" / "__init__.py").open("a", encoding="utf-8") as models:
        models.write("\nfrom app.models.project import Project as Project\n")
    said = made.run("upgrade", "migrate -m Projects")
    assert "arning" not in said
    return made


def indexes(url: str) -> set[str]:
    """Return the names of the new table's indexes, also of those over expressions."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
    catalogue = (
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'projects'"
        if engine.dialect.name == "sqlite"
        else "SELECT indexname FROM pg_indexes WHERE tablename = 'projects'"
    )
    with engine.connect() as connection:
        found = {str(name) for (name,) in connection.exec_driver_sql(catalogue)}
    engine.dispose()
    return {name.removeprefix("ix_projects_") for name in found if name.startswith("ix_")}


def test_model_uses_every_type_of_the_house() -> None:
    house = {
        name
        for name, value in vars(types).items()
        if isinstance(value, TypeEngine)
        or (isinstance(value, type) and issubclass(value, TypeDecorator))
        if name != "TypeDecorator"
    }
    assert len(house) >= 6
    assert {name for name in house if not re.search(rf"\b{name}\b", MODEL)} == set()


def test_migration_is_formatted_and_passes_the_linter(fork: Fork) -> None:
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [RUFF, *command, fork.migration],
            cwd=fork.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + fork.migration.read_text(encoding="utf-8")


def test_migration_is_named_by_the_moment_in_utc(fork: Fork) -> None:
    assert re.fullmatch(r"20\d{12}_projects\.py", fork.migration.name)


def test_migration_depends_on_no_later_code(fork: Fork) -> None:
    assert "app." not in fork.migration.read_text(encoding="utf-8")


def test_new_table_is_migrated_on_the_other_database_there_and_back(
    fork: Fork, new_database: NewDatabase
) -> None:
    url = new_database("postgresql" if fork.url.startswith("sqlite") else "sqlite")
    assert "in step" in fork.run("upgrade", "migrate", url=url)
    assert indexes(url) == {"owner_id", "title", "blank"}
    fork.run("downgrade", url=url)
    assert indexes(url) == set()


def test_later_changes_of_the_table_are_migrated_there_and_back(
    fork: Fork, new_database: NewDatabase, tmp_path: Path
) -> None:
    later = fork.copy(tmp_path / "later")
    url = new_database(fork.url.partition(":")[0])
    later.run("upgrade", url=url)
    later.model.write_text(LATER, encoding="utf-8")
    assert "in step" in later.run("migrate -m Later", "upgrade", "migrate", url=url)
    assert indexes(url) == {"owner_id", "slug", "blank"}
    later.run("downgrade", url=url)
    assert indexes(url) == {"owner_id", "title", "blank"}
