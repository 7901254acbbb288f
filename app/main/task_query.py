"""The query of pages that list tasks. With an invalid filter the list is empty."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from werkzeug.datastructures import MultiDict

from app.models import Task
from app.models.task import PRIORITIES, STATUSES
from app.pages.forms import NUL
from app.services.shared import text_rules
from app.services.shared.actor import Actor
from app.services.shared.paging import Q_MAX, Page, PageRequest
from app.services.tasks import labels, tasks

SORT_DEFAULT = "-created_at"
SORT_NAMES = {
    "-created_at": "Newest first",
    "created_at": "Oldest first",
    "-updated_at": "Recently changed first",
    "due_at": "Due soonest first",
    "-due_at": "Due latest first",
    "-priority": "Most urgent first",
    "priority": "Least urgent first",
    "title": "Title, A to Z",
    "-title": "Title, Z to A",
    "updated_at": "Longest unchanged first",
}


@dataclass(slots=True, frozen=True)
class TaskQuery:
    """A parsed query. `filters` are those of tasks.page(); `mine` selects the actor's assignments.

    `faults` has one message for each invalid filter; with any of them the list is empty.
    """

    filters: dict[str, Any]
    sort: str
    cursor: str | None
    mine: bool = False
    faults: tuple[str, ...] = ()

    @property
    def args(self) -> dict[str, Any]:
        """Return the arguments of url_for for the first page."""
        args: dict[str, Any] = dict(self.filters)
        if "overdue" in args:
            args["overdue"] = "true"
        if "label" in args:
            args["label"] = ",".join(args["label"])
        if self.mine:
            args["assignee"] = "me"
        if self.sort != SORT_DEFAULT:
            args["sort"] = self.sort
        return args

    def filters_of(self, actor_id: str) -> dict[str, Any]:
        return {**self.filters, "assignee_id": [actor_id]} if self.mine else self.filters


def read_page(
    actor: Actor,
    query: TaskQuery,
    paging: PageRequest,
    *,
    status: list[str] | None = None,
    sort: str = "",
) -> Page[Task]:
    """Return a page of the query's tasks; `status` and `sort` replace those of the query."""
    if query.faults:
        return Page([], total=0)
    filters = query.filters_of(actor.id)
    if status:
        filters = {**filters, "status": status}
    return tasks.page(actor, paging, filters=filters, sort=sort or query.sort)


def read_query(args: "MultiDict[str, str]") -> TaskQuery:
    """Return the parsed query. Blank filters are ignored; an unknown order means the default."""
    filters, faults = {}, []
    for name, read in _READERS.items():
        given = [text_rules.normal(text.strip()) for text in args.getlist(name) if text.strip()]
        try:
            if given and (value := read(given)):
                filters[name] = value
        except ValueError as error:
            faults.append(str(error))
    mine = filters.pop("assignee", False)
    sort = args.get("sort", SORT_DEFAULT)
    return TaskQuery(
        filters=filters,
        sort=sort if sort in SORT_NAMES else SORT_DEFAULT,
        cursor=args.get("cursor"),
        mine=mine,
        faults=tuple(faults),
    )


def _choices(what: str, known: tuple[str, ...], given: list[str]) -> list[str]:
    if not set(given) <= set(known):
        raise ValueError(f"{what} is one of {', '.join(known)}.")
    return [word for word in known if word in given]


def _labels(given: list[str]) -> list[str]:
    words = (word.strip() for text in given for word in text.split(","))
    return labels.clean(word for word in words if word)


def _only(what: str, word: str, given: list[str]) -> bool:
    if given != [word]:
        raise ValueError(f"{what} can only be {word}.")
    return True


def _search(given: list[str]) -> str:
    words = " ".join(given[0].split())
    if "\0" in words:
        raise ValueError(NUL)
    if len(words) > Q_MAX:
        raise ValueError(f"A search has at most {Q_MAX} characters.")
    return words


_READERS: dict[str, Callable[[list[str]], Any]] = {
    "status": partial(_choices, "Status", STATUSES),
    "priority": partial(_choices, "Priority", PRIORITIES),
    "label": _labels,
    "overdue": partial(_only, "Overdue", "true"),
    "q": _search,
    "assignee": partial(_only, "Assignee", "me"),
}
