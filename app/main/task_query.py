"""What the address of a list of tasks asks for. What it does not know, it passes over."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from app.models.task import LABELS_MAX, PRIORITIES, STATUSES
from app.services.paging import Q_MAX

SORT_DEFAULT = "-created_at"
SORT_NAMES = {
    "-created_at": "Newest first",
    "created_at": "Oldest first",
    "-updated_at": "Changed last",
    "due_at": "Due first",
    "-due_at": "Due last",
    "-priority": "Most urgent first",
    "priority": "Least urgent first",
    "title": "Title, A to Z",
    "-title": "Title, Z to A",
    "updated_at": "Changed first",
}


@dataclass(slots=True, frozen=True)
class TaskQuery:
    """`filters` are the ones of tasks.page(); `mine` asks for what is assigned to oneself."""

    filters: dict[str, Any]
    sort: str
    cursor: str | None
    mine: bool = False

    @property
    def args(self) -> dict[str, Any]:
        """For url_for: the address of the first page."""
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

    def binding(self, actor_id: str) -> list[Any]:
        """What a cursor of this list is good for."""
        return [self.filters_of(actor_id), self.sort, actor_id]


def read_query(args: "MultiDict[str, str]") -> TaskQuery:
    found = {
        "status": _known(args.getlist("status"), STATUSES),
        "priority": _known(args.getlist("priority"), PRIORITIES),
        "label": _words(args.getlist("label")),
        "overdue": args.get("overdue") == "true",
        "q": " ".join(args.get("q", "").replace("\0", "").split())[:Q_MAX].strip(),
    }
    sort = args.get("sort", SORT_DEFAULT)
    return TaskQuery(
        filters={name: value for name, value in found.items() if value},
        sort=sort if sort in SORT_NAMES else SORT_DEFAULT,
        cursor=args.get("cursor"),
        mine=args.get("assignee") == "me",
    )


def _known(given: Iterable[str], known: tuple[str, ...]) -> list[str]:
    return [word for word in known if word in given]


def _words(given: Iterable[str]) -> list[str]:
    words = (word.strip() for text in given for word in text.replace("\0", "").split(","))
    return list(dict.fromkeys(word for word in words if word))[:LABELS_MAX]
