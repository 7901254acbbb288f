"""One corpus for both databases: users, tasks, and the queries of their lists.

A new feature adds its queries to QUERIES or its own plays to PLAYS of
tests/contract/test_databases_agree.py.
"""

from itertools import product
from typing import Any
from urllib.parse import quote

from tests.support.search_cases import QUERIES as SEARCHED, TITLES as SEARCHED_TITLES
from tests.support.texts import GOOD_LINES

PEOPLE = ["ann", "Bob", "c.d-e_f", "zoe", "anna", "ANN-2"]
TITLES = [
    *GOOD_LINES,
    *SEARCHED_TITLES,
    *("alpha", "Alpha", "ALPHA", "\u00e4lpha", "zebra", "Zebra", "_x", "~x", "[x", "1", "10", "9"),
    *("\u00df", "ss", "SS", "\u0131", "I", "i", "\u0130", "\u0142", "\u00f8", "\u00e9", "E", "e"),
    *("a b", "a-b", "ab", "a  b", "%", "_", "\\", "'", '"', "\U0001f600", "\uffee", "\ue001"),
]
SCRIPTS = {  # a text in each, by the name of the script in Unicode
    "LATIN": "Stra\u00dfe na \u017b\u00f3\u0142\u0107",
    "GREEK": "\u039f\u03b4\u03cc\u03c2",
    "CYRILLIC": "\u041c\u043e\u0441\u043a\u0432\u0430",
    "ARMENIAN": "\u0535\u0580\u0587\u0561\u0576",
    "GEORGIAN": "\u10d7\u10d1\u10d8\u10da\u10d8\u10e1\u10d8",
    "HEBREW": "\u05e9\u05c1\u05dc\u05d5\u05dd",
    "ARABIC": "\u0645\u0631\u062d\u0628\u0627",
    "SYRIAC": "\u072b\u0720\u0721\u0710",
    "THAANA": "\u0780\u07a8\u0794\u07a6",
    "DEVANAGARI": "\u0928\u092e\u0938\u094d\u0924\u0947",
    "BENGALI": "\u09ac\u09be\u0982\u09b2\u09be",
    "TAMIL": "\u0ba4\u0bae\u0bbf\u0bb4\u0bcd",
    "THAI": "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "TIBETAN": "\u0f56\u0f7c\u0f51\u0f0b",
    "MYANMAR": "\u1019\u103c\u1014\u103a\u1019\u102c",
    "ETHIOPIC": "\u1230\u120b\u121d",
    "CHEROKEE": "\u13e3\u13b3\u13a9",
    "KHMER": "\u1781\u17d2\u1798\u17c2\u179a",
    "HIRAGANA": "\u3072\u3089\u304c\u306a",
    "KATAKANA": "\u30ab\u30bf\u30ab\u30ca",
    "HANGUL": "\u1112\u1161\u11ab\uae00",
    "CJK": "\u4f1a\u8bae\u8bb0\u5f55",
    "GOTHIC": "\U00010330\U00010331",
    "ADLAM": "\U0001e900\U0001e922",
}
_ROWS = "\n".join(f"{word},{text}" for text in SCRIPTS.values() for word in ("low", "urgent"))
FILES = {  # files for the import, as spreadsheets and people write them
    "comma": f"Priority, TITLE \n{_ROWS}".encode(),
    "semicolon": b'title;labels\r\n"Order; paper";"a;b"\r\n',
    "tab": "title\tdescription\nGr\u00fc\u00dfe\t\u201cx\u201d\n".encode("utf-16"),
    "sep line": b"sep=;\ntitle;status\nOne;done\n",
    "byte order mark": b"\xef\xbb\xbftitle\nTwo\n",
    "blank and short rows": b"title,status,due_at\n\nFirst\n,,\nSecond,done\n",
    "other assignee": b"title,assignee\nPlums,ann\nPears,carol\n",
    "past and future": (
        b"title,status,created_at,completed_at\nx,done,2001-01-01T00:00:00Z,2001-02-01T00:00:00Z\n"
        b"y,done,2999-01-01T00:00:00Z,2999-01-01T00:00:00Z\n"
    ),
    "windows-1252": "title\nGr\u00fc\u00dfe\n".encode("cp1252"),
    "no moment": b"title,created_at\nx,yesterday\n",
    "unknown column": b"title,colour\nx,red\n",
    "nothing": b"",
}
REFUSED = {"windows-1252", "no moment", "unknown column", "nothing"}
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
# One search together with each filter, in each order.
SEARCHES += [
    f"/tasks?limit=11&count=true&sort={sign}{sort}{rest}&q=a"
    for (sort, sign), rest in product(product(SORTS, ("", "-")), FILTERS)
]
QUERIES = [*LISTS, *SEARCHES, *(f"/users?limit=3&count=true&{query}" for query in USERS)]


def tasks() -> list[dict[str, Any]]:
    """Return the bodies of the tasks, each value combined with many others."""
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
