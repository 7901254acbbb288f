"""The parts of admin pages that resources add: one line each.

The template of a panel holds five macros: `overview_figures`, `overview_charts`, `user_figures`,
`user_charts`, and `deletion`, a sentence about the records that go with an account.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from app.services.shared.actor import Actor
from app.services.tasks import stats as task_stats


class Panel(NamedTuple):
    template: str
    overview: Callable[[Actor, int], Any]  # the figures of all users' records, over some days
    of_user: Callable[[Actor, str], Any]  # the figures of one user's records


PANELS = (
    Panel(
        "admin/_tasks.html",
        lambda actor, days: task_stats.overview(actor, days, everyone=True),
        task_stats.of_user,
    ),
)


def overview(actor: Actor, days: int) -> list[tuple[str, Any]]:
    """Return the template and the figures of each panel of the overview."""
    return [(panel.template, panel.overview(actor, days)) for panel in PANELS]


def of_user(actor: Actor, user_id: str) -> list[tuple[str, Any]]:
    """Return the template and the figures of each panel of a user's page."""
    return [(panel.template, panel.of_user(actor, user_id)) for panel in PANELS]
