"""Demo data for an empty database: users, their tasks of the last 60 days, and the audit trail.

The content is the same each time; dates follow the clock and passwords are random.
"""

import random
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from app.errors import Conflict
from app.models import AUDIT_EVENTS, TASKS, USERS, AuditEvent, Task, User
from app.models.types import now, uuid7
from app.services.demo import history as demo_deeds, tasks
from app.services.demo.history import DAYS, STAY, Deed
from app.services.tasks import search as task_search
from app.services.users import passwords
from app.sql import Statement, UniqueViolation, atomic

SEED = 20
PEOPLE = ("admin", "maya.okafor", "jonas.lind", "priya.raman", "luca.moretti", "ellen.vance")
GONE = "ellen.vance"  # has left the team: a deactivated account
SHOWN = PEOPLE[:2]  # users whose passwords the command prints

_insert_user = Statement[User](insert(USERS))
_insert_task = Statement[Task](insert(TASKS))
_insert_event = Statement[AuditEvent](insert(AUDIT_EVENTS))


@dataclass(slots=True, frozen=True)
class SignIn:
    username: str
    email: str
    password: str


def seed() -> list[SignIn]:
    """Fill the database in one commit. Return the sign-ins of SHOWN. Raises Conflict."""
    people = [_newcomer(username) for username in PEOPLE]
    hashes = {one.username: passwords.hash_(one.password) for one in people}
    try:
        _store(people, hashes)
    except UniqueViolation as error:
        raise Conflict("Somebody else is filling the database.") from error
    return [one for one in people if one.username in SHOWN]


def _newcomer(username: str) -> SignIn:
    return SignIn(username, f"{username}@example.com", secrets.token_urlsafe(12))


@atomic
def _store(people: list[SignIn], hashes: dict[str, str]) -> None:
    chance, moment = random.Random(SEED), now()  # noqa: S311  (no secret)
    ids = {person.username: uuid7() for person in people}
    deeds: list[Deed] = []
    for person in people:
        row = _account(person, ids[person.username], hashes[person.username])
        _insert_user.run(**row)
        deeds += demo_deeds.arrival(row, ids["admin"])
    staff = [ids[name] for name in PEOPLE if name != GONE]
    for task, history in tasks.lives(chance, moment, staff):
        _insert_task.run(**task_search.indexed(task))
        deeds += history
    deeds += demo_deeds.visits(chance, moment, staff)
    for deed in sorted(deeds, key=lambda deed: deed.moment):
        _insert_event.run(**_event(deed, chance))


def _account(person: SignIn, user_id: str, password_hash: str) -> dict[str, Any]:
    opened = now() - timedelta(days=DAYS + 5 - PEOPLE.index(person.username))
    gone = person.username == GONE
    return {
        "id": user_id,
        "username": person.username,
        "email": person.email,
        "password_hash": password_hash,
        "role": "admin" if person.username == "admin" else "user",
        "role_from": None,
        "is_active": not gone,
        "email_verified": True,
        "created_at": opened,
        "updated_at": opened + STAY if gone else opened,
        "version": 2 if gone else 1,
        "passkey_declined_at": None,
    }


def _event(deed: Deed, chance: random.Random) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "actor_id": deed.actor_id,
        "token_id": None,
        "action": deed.action,
        "target_type": deed.target_type,
        "target_id": deed.target_id,
        "changes": deed.changes,
        "address": deed.address,
        "request_id": f"{chance.getrandbits(128):032x}",
        "created_at": deed.moment,
    }
