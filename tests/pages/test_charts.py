"""Charts: the height of each bar matches its value on the scale of the lines."""

import re

import pytest
from flask import Flask

HEIGHT = 160.0  # of the drawing; the upper line has the highest value


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize("values", [(1, 0), (3, 1), (40, 10), (997, 1)])
def test_highest_bar_reaches_the_line_that_bears_its_value(
    app: Flask, values: tuple[int, int]
) -> None:
    days = [{"date": f"2026-01-0{day}", "made": value} for day, value in enumerate(values, 1)]
    with app.test_request_context("/"):
        charts = app.jinja_env.get_template("charts.html").module
        drawn = str(charts.bars("days", "Days", days, [("made", "Made")]))  # type: ignore[attr-defined]
    heights = [float(height) for height in re.findall(r'<rect.* height="([\d.]+)"', drawn)]
    top = int(re.findall(r'class="top"[^>]*>(\d+)<', drawn)[0])
    assert heights == [round(value / top * HEIGHT, 2) for value in values if value]
