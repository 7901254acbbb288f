"""The model: curves of the share of tasks that are still open by their age, with NumPy alone.

The Kaplan-Meier estimator learns from open tasks too: such a task says that it took at least its
present age. To leave these tasks out would make every forecast too early.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any  # an array of numbers


@dataclass(frozen=True)
class Curve:
    """The share of tasks that are still open: `share[i]` from the age `days[i]` on.

    `done` of `tasks` observed tasks were done.
    """

    days: list[float]
    share: list[float]
    tasks: int
    done: int

    def still_open(self, age: float) -> float:
        """Return the share of tasks that are open at the age, in days."""
        place = int(np.searchsorted(self.days, age, side="right"))
        return self.share[place - 1] if place else 1.0

    def chance(self, age: float, later: float) -> float:
        """Return the chance that a task that is open at `age` is done `later` days after it."""
        now = self.still_open(age)
        return 1 - self.still_open(age + later) / now if now else 0.0

    def days_until(self, age: float, chance: float) -> float | None:
        """Return the days until a task that is open at `age` is done with this chance.

        None if the curve does not fall so far: no task of the sample was observed so long.
        """
        wanted = self.still_open(age) * (1 - chance)
        reached = np.flatnonzero(np.asarray(self.share) <= wanted + 1e-9)
        if not len(reached) or not wanted:
            return None
        return max(0.0, self.days[int(reached[0])] - age)


def fit(ages: Array, done: Array) -> Curve:
    """Return the curve of tasks that were observed up to `ages` days, and then done or not."""
    ages, done = np.asarray(ages, float), np.asarray(done, bool)
    days = np.unique(ages[done])
    at_risk = (ages[:, None] >= days).sum(axis=0)
    finished = (ages[done, None] == days).sum(axis=0)
    share = np.cumprod(1 - finished / at_risk)
    return Curve(days.round(4).tolist(), share.round(6).tolist(), len(ages), int(done.sum()))
