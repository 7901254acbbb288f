"""The forecast of one task by the newest model."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.errors import Conflict
from app.models import Task
from app.models.task import OPEN
from app.models.types import now
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from task_forecast import versions
from task_forecast.training import DAY, curve_of

EARLY, MIDDLE, LATE = 0.1, 0.5, 0.9  # chances: eight of ten tasks are done between the outer two
SHOWN = 30  # days of the chances in `by_day`


@dataclass(frozen=True)
class Forecast:
    """The moments until which the task is done with each chance; None beyond the sample."""

    task_id: str
    model: str
    trained_at: datetime
    learned_from: int
    early: datetime | None
    middle: datetime | None
    late: datetime | None
    chance_by_due: float | None
    by_day: list[float]  # the chance that the task is done after 1, 2, ... days


def of_task(actor: Actor, task_id: str) -> Forecast:
    """Return the forecast. Raises NotFound, and Conflict if the task is not open."""
    task, moment = tasks.get(actor, task_id), now()
    if task.status not in OPEN:
        raise Conflict("Only an open task has a forecast.")
    model = versions.newest()
    curve = curve_of(model.curves, task.priority)
    age = (moment - task.created_at) / DAY

    def until(chance: float) -> datetime | None:
        days = curve.days_until(age, chance)
        return None if days is None else moment + timedelta(days=days)

    return Forecast(
        task_id=task.id,
        model=model.version,
        trained_at=model.trained_at,
        learned_from=curve.tasks,
        early=until(EARLY),
        middle=until(MIDDLE),
        late=until(LATE),
        chance_by_due=_chance_by_due(task, moment, lambda days: curve.chance(age, days)),
        by_day=[round(curve.chance(age, days), 3) for days in range(1, SHOWN + 1)],
    )


def _chance_by_due(task: Task, moment: datetime, chance: Callable[[float], float]) -> float | None:
    if task.due_at is None:
        return None
    return round(chance(max(0.0, (task.due_at - moment) / DAY)), 3)
