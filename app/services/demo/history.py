"""What the people of the demo did besides their tasks: they came, signed in, and one left."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DAYS = 60
STAY = timedelta(days=40)  # of the one who has left
GUESSER = "203.0.113.77"  # the addresses are those of RFC 5737, for documentation


@dataclass(slots=True, frozen=True)
class Deed:
    """An audit event to be."""

    moment: datetime
    actor_id: str | None
    action: str
    target_type: str
    target_id: str | None
    changes: dict[str, list[Any]] = field(default_factory=dict)
    address: str = ""


def arrival(user: dict[str, Any], admin_id: str) -> list[Deed]:
    """The account is opened by a command, and closed by the admin where its owner has left."""
    given = {name: [None, user[name]] for name in ("username", "email", "role")}
    deeds = [Deed(user["created_at"], None, "user.created", "user", user["id"], given)]
    if not user["is_active"]:
        left = {"is_active": [True, False]}
        deeds.append(
            Deed(user["updated_at"], admin_id, "user.updated", "user", user["id"], left, home(0))
        )
    return deeds


def visits(chance: random.Random, moment: datetime, staff: list[str]) -> Iterator[Deed]:
    """Signing in on most working days, a typing error now and then, one night of guessing."""
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
