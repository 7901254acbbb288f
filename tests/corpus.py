"""One corpus that is played on both databases: people, tasks, and the queries of their lists.

A part that is built later (search, files) adds its queries to QUERIES or its own plays to PLAYS of
tests/test_databases_agree.py.
"""

from itertools import product
from typing import Any
from urllib.parse import quote

from tests.search_cases import QUERIES as SEARCHED, TITLES as SEARCHED_TITLES
from tests.texts import GOOD_LINES

PEOPLE = ["ann", "Bob", "c.d-e_f", "zoe", "anna", "ANN-2"]
TITLES = [
    *GOOD_LINES,
    *SEARCHED_TITLES,
    *("alpha", "Alpha", "ALPHA", "\u00e4lpha", "zebra", "Zebra", "_x", "~x", "[x", "1", "10", "9"),
    *("\u00df", "ss", "SS", "\u0131", "I", "i", "\u0130", "\u0142", "\u00f8", "\u00e9", "E", "e"),
    *("a b", "a-b", "ab", "a  b", "%", "_", "\\", "'", '"', "\U0001f600", "\uffee", "\ue001"),
]
DATES = [
    None,
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999999Z",
    "2000-02-29T12:00:00.000001+14:00",
    "2026-03-29T02:30:00-12:00",
    "2026-03-29T02:30:00.1Z",
    "9999-12-31T23:59:59.999999Z",
]
LABELS = [
    [],
    ["Home"],
    ["home", "\u00c4rger"],
    ["stra\u00dfe"],
    ["STRASSE", "\u0130"],
    ["\u4f1a\u8bae"],
]
STATUSES = ["todo", "in_progress", "done", "cancelled"]
PRIORITIES = ["low", "normal", "high", "urgent"]
SORTS = ["created_at", "updated_at", "due_at", "priority", "title", "status", "completed_at"]
FILTERS = [
    "",
    "&status=todo&status=done",
    "&priority=urgent",
    "&overdue=true",
    "&overdue=false",
    "&label=HOME",
    "&label=%C3%A4rger&label=x",
    "&label=STRASSE",
    "&label=stra%C3%9Fe",
    "&label=i%CC%87",
    "&due_after=1969-12-31T23:59:59.999999Z",
    "&due_before=2026-03-29T14:30:00Z&status=todo",
    "&due_after=2026-03-29T14:30:00%2B00:00",
    "&due_before=0001-01-01T00:00:00.000001Z",
    "&created_after=2020-01-01T00:00:00Z",
    "&updated_after=9999-12-31T23:59:59Z",
    "&trashed=true",
    "&due_at=none",
    "&assignee_id=none&created_before=9999-01-01T00:00:00Z",
    "&completed_after=2020-01-01T00:00:00Z&completed_before=9999-01-01T00:00:00Z",
]
LISTS = [
    f"/tasks?limit=29&count=true&sort={sign}{sort}{rest}"
    for sort, sign, rest in product(SORTS, ("", "-"), FILTERS)
]
USERS = ["", "q=ann", "q=ANN", "q=c.d", "q=_", "q=%25", "q=%40EXAMPLE", "role=user", "q=%C3%A4"]
SEARCHES = [
    f"/tasks?limit=11&count=true&sort={sort}&q={quote(query)}"
    for sort in ("title", "-due_at")
    for query in (*TITLES, *(query for query, _ in SEARCHED), "x 1")
]
# One search beside each filter, in each order.
SEARCHES += [
    f"/tasks?limit=11&count=true&sort={sign}{sort}{rest}&q=a"
    for (sort, sign), rest in product(product(SORTS, ("", "-")), FILTERS)
]
QUERIES = [*LISTS, *SEARCHES, *(f"/users?limit=3&count=true&{query}" for query in USERS)]


def tasks() -> list[dict[str, Any]]:
    """The bodies of the tasks, each value beside many others."""
    return [
        {
            "title": title,
            "description": title * (number % 3),
            "status": STATUSES[number % 4],
            "priority": PRIORITIES[number // 4 % 4],
            "due_at": DATES[number % 7],
            "labels": LABELS[number % 6],
        }
        for number, title in enumerate(TITLES)
    ]
