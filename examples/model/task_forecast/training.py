"""Training: the history of all tasks as durations, one curve for each priority, a backtest."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from app.models import TASKS, Task
from app.models.task import PRIORITIES
from app.sql import Statement
from task_forecast.survival import Curve, fit

ALL = "all"
DONE_MIN = 20  # a priority with fewer completed tasks uses the curve of all tasks
DAY = timedelta(days=1)
_history = Statement[Task](
    select(
        *(TASKS.c[name] for name in ("priority", "status", "created_at", "updated_at")),
        *(TASKS.c[name] for name in ("completed_at", "deleted_at")),
    )
)


class Life(NamedTuple):
    """A task: its creation and its end. `done` is False for one that was cancelled or deleted."""

    priority: str
    created_at: datetime
    ended_at: datetime | None
    done: bool

    def known_at(self, moment: datetime) -> tuple[float, bool]:
        """Return the age in days and the outcome, as they were known at the moment."""
        if self.ended_at is not None and self.ended_at <= moment:
            return (self.ended_at - self.created_at) / DAY, self.done
        return (moment - self.created_at) / DAY, False


@dataclass(frozen=True)
class Backtest:
    """A forecast of the past: `tasks` open at `cut`, done since, and the number that a model
    trained at that time expects."""

    cut: datetime
    tasks: int
    expected: float
    done: int


def history() -> list[Life]:
    """Return the lives of all tasks, also of those in the trash."""
    return [_life(row) for row in _history.all()]


def curves(lives: list[Life], moment: datetime) -> dict[str, Curve]:
    """Return a curve of all tasks and one for each priority, as they were known at `moment`."""
    groups = {ALL: lives, **{p: [x for x in lives if x.priority == p] for p in PRIORITIES}}
    found = {name: _fit(group, moment) for name, group in groups.items()}
    return {n: curve for n, curve in found.items() if n == ALL or curve.done >= DONE_MIN}


def curve_of(known: dict[str, Curve], priority: str) -> Curve:
    return known.get(priority, known[ALL])


def backtest(lives: list[Life], moment: datetime, days: int = 14) -> Backtest:
    """Forecast the last `days` by what was known before them."""
    cut = moment - days * DAY
    known = curves(lives, cut)
    open_then = [
        life
        for life in lives
        if life.created_at <= cut and (life.ended_at is None or life.ended_at > cut)
    ]
    chances = [
        curve_of(known, life.priority).chance(life.known_at(cut)[0], days) for life in open_then
    ]
    done = sum(life.done and life.known_at(moment)[1] for life in open_then)
    return Backtest(cut, len(open_then), sum(chances), done)


def _life(row: Any) -> Life:
    done = row.status == "done" and row.completed_at is not None
    stopped = row.updated_at if row.status == "cancelled" else row.deleted_at
    return Life(row.priority, row.created_at, row.completed_at if done else stopped, done)


def _fit(lives: list[Life], moment: datetime) -> Curve:
    known = [life.known_at(moment) for life in lives if life.created_at <= moment]
    return fit([age for age, _ in known], [done for _, done in known])
