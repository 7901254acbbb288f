"""Charts: each bar is as high as its value on the scale that the lines show."""

import re

import pytest
from flask import Flask

HEIGHT = 160.0  # of the drawing, whose upper line bears the highest value


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
