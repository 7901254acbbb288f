"""`flask seed-demo`: demo users and tasks for an empty database."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.engine import make_url

from app.cli.base import Command
from app.errors import Conflict
from app.product import NAME
from app.services.demo import seed as demo
from app.services.demo.seed import SignIn
from app.services.users import users

SIGN_IN_NAME = "demo_sign_in.txt"
NO_REMINDER = (
    "Sign in with an account of this database; flask users reset-password NAME makes a link."
)


@click.command("seed-demo", cls=Command)
@click.option("--if-empty", is_flag=True, help="Do nothing in a database that has users.")
@with_appcontext
def seed_demo(if_empty: bool) -> None:
    """Fill an empty database with an admin, a few users and 60 days of tasks."""
    if users.is_empty():
        how = _seed(if_empty)
    elif not if_empty:
        raise click.ClickException("The database has users. The command fills empty ones only.")
    else:
        how = _saved_passwords()
    click.echo(f"\n  {NAME}: {current_app.config['PUBLIC_URL']}\n\n{how}\n")


def _seed(if_empty: bool) -> str:
    try:
        people = demo.seed()
    except Conflict:  # another process fills the database at the same time
        if if_empty:
            return _saved_passwords()
        raise
    how = _introduction(people)
    _save_passwords(how)
    return how


def _introduction(people: list[SignIn]) -> str:
    lines = [f"    {person.username:<12} {person.email:<26} {person.password}" for person in people]
    return "\n".join(["  Sign in by username or email, with this password:", *lines])


def _save_passwords(how: str) -> None:
    """Save the passwords beside the embedded database, readable by the file's owner only."""
    path = _password_file()
    if path is not None:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(how + "\n", encoding="utf-8")


def _saved_passwords() -> str:
    path = _password_file()
    if path is None or not path.exists():
        return f"  {NO_REMINDER}"
    return f"{path.read_text(encoding='utf-8')}  (saved in {path}; delete the file after reading)"


def _password_file() -> Path | None:
    """Return the file of the demo's passwords; None unless the database lies beside it."""
    folder = Path(current_app.instance_path)
    database = make_url(current_app.config["SQLALCHEMY_DATABASE_URI"])
    embedded = database.get_backend_name() == "sqlite" and Path(database.database or "").parent
    return folder / SIGN_IN_NAME if embedded == folder else None
