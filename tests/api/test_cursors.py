"""Cursors: the service accepts its own and refuses every changed one."""

import base64
import re
import string
from collections.abc import Iterator

import orjson
import pytest
from flask import Flask
from hypothesis import given, strategies as st

from app.errors import InvalidParameter
from app.models.types import now
from app.services.shared import paging
from app.web import cursors

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
KEY = "0123456789abcdef-of-the-tests-alone"
LAST = ["2026-11-20T12:00:00.000001Z", "0199-id"]
BINDING = ["tasks", "ann", {"status": ["todo"]}, "-created_at"]


@pytest.fixture(autouse=True)
def _context() -> Iterator[None]:
    with keyed(KEY).app_context():
        yield


def keyed(secret: str, *fallbacks: str) -> Flask:
    app = Flask(__name__)
    app.config.from_mapping(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=[*fallbacks])
    return app


def sealed() -> str:
    cursor = cursors.seal(LAST, BINDING)
    assert cursor is not None
    return cursor


def test_cursor_comes_back_as_it_went() -> None:
    assert cursors.unseal(sealed(), BINDING) == LAST


def test_order_of_the_filters_is_of_no_account() -> None:
    cursor = cursors.seal(LAST, {"status": "todo", "label": "x"})
    assert cursors.unseal(cursor, {"label": "x", "status": "todo"}) == LAST


def test_no_cursor_is_the_first_page_and_no_next_one() -> None:
    assert cursors.unseal(None, BINDING) is None
    assert cursors.seal(None, BINDING) is None


def test_moment_keeps_its_microseconds() -> None:
    moment = now()
    last = cursors.unseal(cursors.seal([moment, "id"], BINDING), BINDING)
    assert last is not None
    assert paging.moment(last[0]) == moment


@pytest.mark.parametrize(
    "other",
    [
        ["users", "ann", {"status": ["todo"]}, "-created_at"],
        ["tasks", "bob", {"status": ["todo"]}, "-created_at"],
        ["tasks", "ann", {"status": ["done"]}, "-created_at"],
        ["tasks", "ann", {"status": ["todo"]}, "created_at"],
        None,
    ],
)
def test_cursor_of_another_list_is_refused(other: object) -> None:
    with pytest.raises(InvalidParameter) as caught:
        cursors.unseal(sealed(), other)
    assert list(caught.value.fields) == ["cursor"]


@given(place=st.integers(0, 200), character=st.characters(codec="ascii"))
def test_any_changed_character_is_noticed(place: int, character: str) -> None:
    cursor = sealed()
    place %= len(cursor)
    changed = cursor[:place] + character + cursor[place + 1 :]
    if changed != cursor:
        with pytest.raises(InvalidParameter):
            cursors.unseal(changed, BINDING)


@given(length=st.integers(0, 100))
def test_cut_cursor_is_refused(length: int) -> None:
    cursor = sealed()
    with pytest.raises(InvalidParameter):
        cursors.unseal(cursor[: min(length, len(cursor) - 2)], BINDING)


@given(cursor=st.text())
def test_any_other_text_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidParameter):
        cursors.unseal(cursor, BINDING)


def test_cursor_of_another_secret_is_refused() -> None:
    cursor = sealed()
    with keyed("another-secret-of-the-tests").app_context(), pytest.raises(InvalidParameter):
        cursors.unseal(cursor, BINDING)


def test_cursor_of_an_earlier_key_is_read_and_the_present_one_signs() -> None:
    cursor = sealed()
    with keyed("another-secret-of-the-tests", KEY).app_context():
        assert cursors.unseal(cursor, BINDING) == LAST
        renewed = sealed()
    with pytest.raises(InvalidParameter):
        cursors.unseal(renewed, BINDING)


def test_cursor_has_one_spelling_that_a_url_takes_as_it_is() -> None:
    cursor = sealed()
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", cursor)
    for changed in (f"{cursor}=", f"{cursor}!", f" {cursor}", *same_signature(cursor)):
        with pytest.raises(InvalidParameter):
            cursors.unseal(changed, BINDING)


def same_signature(cursor: str) -> list[str]:
    """Return the cursor with each other last character that base64 decodes to the same bytes."""
    last = ALPHABET.index(cursor[-1])
    return [cursor[:-1] + ALPHABET[last ^ bits] for bits in (1, 2, 3)]


def test_cursor_of_an_earlier_release_is_refused() -> None:
    """An earlier cursor was base64 of a tag of 16 bytes and the row."""
    earlier = base64.urlsafe_b64encode(bytes(16) + orjson.dumps(LAST)).decode().rstrip("=")
    with pytest.raises(InvalidParameter):
        cursors.unseal(earlier, BINDING)


def test_refusal_is_a_new_error_each_time() -> None:
    """An error object that is raised repeatedly collects an endless traceback."""
    caught = []
    for _ in range(2):
        with pytest.raises(InvalidParameter) as refusal:
            cursors.unseal("x", BINDING)
        caught.append(refusal.value)
    assert caught[0] is not caught[1]
