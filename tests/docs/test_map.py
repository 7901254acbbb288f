"""The map of the rooms omits exactly the arrows that longer paths replace."""

import pytest

from tests.tools.draw_map import Arrows, reached, reduced


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, {"a": {"b"}, "b": {"c"}, "c": set()}),
        ({"a": {"b", "c"}, "b": set(), "c": set()}, {"a": {"b", "c"}, "b": set(), "c": set()}),
        (
            {"a": {"b", "d"}, "b": {"c"}, "c": {"d"}, "d": set()},
            {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": set()},
        ),
    ],
)
def test_arrow_is_left_out_where_others_lead_along(found: Arrows, left: Arrows) -> None:
    assert reduced(found) == left
    assert all(reached(found, room) == reached(left, room) for room in found)
