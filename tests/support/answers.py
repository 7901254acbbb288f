"""Helpers that read the answers of the API."""

from typing import Any

from werkzeug.test import TestResponse

from app.faults import Code

MISSING = "01890000-0000-7000-8000-000000000000"  # the id of no record
PROBLEM = "application/problem+json"
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}


def slug_of(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the kind of problem (RFC 9457)."""
    assert answer.mimetype == PROBLEM, answer.text
    body = answer.get_json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["type"].removeprefix("/problems/")


def blamed(answer: TestResponse) -> list[str]:
    """Return the pointers or parameters that the problem names."""
    found = answer.get_json().get("errors", [])
    assert all(fault["detail"] and fault["code"] in set(Code) for fault in found)
    return [fault["pointer"] if "pointer" in fault else fault["parameter"] for fault in found]


def without_request(answer: TestResponse) -> dict[str, Any]:
    """Return a problem without the members that differ between requests."""
    body: dict[str, Any] = answer.get_json()
    return {name: body[name] for name in body if name not in ("instance", "request_id")}
