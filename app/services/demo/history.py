"""The audit events of the demo's users beside their tasks: arrivals, sign-ins, one departure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DAYS = 60
STAY = timedelta(days=40)  # of the user who has left
GUESSER = "203.0.113.77"  # addresses for documentation (RFC 5737)


@dataclass(slots=True, frozen=True)
class Deed:
    """An audit event that is not stored yet."""

    moment: datetime
    actor_id: str | None
    action: str
    target_type: str
    target_id: str | None
    changes: dict[str, list[Any]] = field(default_factory=dict)
    address: str = ""


def arrival(user: dict[str, Any], admin_id: str) -> list[Deed]:
    """Return the opening of an account by a command, and its deactivation by the admin if any."""
    values = {name: [None, user[name]] for name in ("username", "email", "role")}
    deeds = [Deed(user["created_at"], None, "user.created", "user", user["id"], values)]
    if not user["is_active"]:
        left = {"is_active": [True, False]}
        deeds.append(
            Deed(user["updated_at"], admin_id, "user.updated", "user", user["id"], left, home(0))
        )
    return deeds


def visits(chance: random.Random, moment: datetime, staff: list[str]) -> Iterator[Deed]:
    """Yield sign-ins on most working days, some typing errors, and one night of guessing."""
    night = day(moment, 17) + timedelta(hours=2)
    for second in range(0, 300, 27):
        at = night + timedelta(seconds=second)
        yield Deed(at, None, "session.refused", "user", staff[0], {}, GUESSER)
    for age in range(DAYS, -1, -1):
        morning = day(moment, age)
        for place, user_id in enumerate(staff):
            if chance.random() > (0.15 if morning.weekday() > 4 else 0.75):
                continue
            at = morning + timedelta(hours=7, minutes=chance.randrange(200))
            if at >= moment:
                return
            if chance.random() < 0.08:
                early = at - timedelta(seconds=20)
                yield Deed(early, None, "session.refused", "user", user_id, {}, home(place))
            yield Deed(at, user_id, "session.created", "user", user_id, {}, home(place))


def day(moment: datetime, age: int) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=age)


def home(place: int) -> str:
    return f"192.0.2.{10 + place}"
