"""What a line of the log looks like, whatever is in it."""

import json
import logging

import pytest

from app.logs import JsonFormatter

NASTY = "a\r\nb\x1b[31mc\u2028d\x85e\udc80"


@pytest.mark.parametrize("text", [NASTY, '"}\n{"level": "error"', "%s %d"])
def test_nothing_that_is_logged_makes_a_second_line(text: str) -> None:
    record = logging.makeLogRecord({"name": text, "msg": "said: %s", "args": (text,)})
    line = JsonFormatter().format(record)
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert json.loads(line)["message"] == f"said: {text}"


def test_exception_stays_on_the_line() -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int(NASTY)
    told = (caught.type, caught.value, caught.tb)
    line = JsonFormatter().format(logging.makeLogRecord({"msg": "failed", "exc_info": told}))
    assert len(line.splitlines()) == 1
    assert "ValueError" in json.loads(line)["exception"]
