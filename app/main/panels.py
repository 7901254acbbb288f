"""The parts of the dashboard that resources add: one line each."""

from collections.abc import Callable
from typing import Any, NamedTuple

from app.main import task_panel
from app.services.shared.actor import Actor


class Panel(NamedTuple):
    lead: str  # a sentence below the title of the page
    new: tuple[str, str]  # the endpoint and the text of the button that creates a record
    template: str  # which draws the `values`
    values: Callable[[Actor], dict[str, Any]]


DASHBOARD = (
    Panel(
        "Tasks that you own or are assigned to.",
        ("main.tasks.create", "New task"),
        "main/tasks/_dashboard.html",
        task_panel.values,
    ),
)
