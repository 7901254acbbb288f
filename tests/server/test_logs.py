"""The format of log lines for any content, and their output."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import config
from app import logs
from app.logs import LINE_MAX, JsonFormatter, Lines

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


@pytest.mark.parametrize("text", ["x" * 9000, "\U0001f600" * 9000, '"' * 9000])
def test_long_line_fits_in_one_write_with_both_its_ends(text: str) -> None:
    with pytest.raises(ValueError, match=r"^first") as caught:
        raise ValueError(f"first {text} last")
    told = (caught.type, caught.value, caught.tb)
    record = logging.makeLogRecord({"name": "app", "msg": text, "exc_info": told})
    line = JsonFormatter().format(record)
    assert len(line) < LINE_MAX
    exception = json.loads(line)["exception"]
    assert exception.startswith("Traceback")
    assert exception.endswith(" last")


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The reading end of a non-blocking pipe for the log."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    monkeypatch.setattr(logs, "STDERR", writes)
    yield reads
    os.close(reads)
    os.close(writes)


def test_filter_may_give_another_record(pipe: int) -> None:
    handler = Lines()
    another = logging.makeLogRecord({"msg": "another"})
    handler.filter = lambda _record: another  # type: ignore[assignment,method-assign,return-value]
    handler.handle(logging.makeLogRecord({"msg": "one"}))
    assert os.read(pipe, LINE_MAX) == b"another\n"


def test_slow_reader_gets_every_line_of_every_thread(pipe: int) -> None:
    handler = Lines()
    handler.setFormatter(JsonFormatter())

    def write() -> None:
        for number in range(200):
            text = "x" * (number % 2 * 6000)
            handler.handle(logging.makeLogRecord({"name": "app", "msg": text}))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    data = b""
    while data.count(b"\n") < 800:
        data += os.read(pipe, 65536)
    for thread in threads:
        thread.join()
    lines = [json.loads(line) for line in data.splitlines()]
    assert sum(len(line["message"]) > 1000 for line in lines) == 400


def test_number_of_a_closed_standard_error_is_not_written_to(tmp_path: Path) -> None:
    """The next opened file or connection gets the number of the closed standard error."""
    file = tmp_path / "another"
    script = (
        "import os, sys, logging; from app import logs; logs.set_up('INFO', 'json');"
        "os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), 2);"
        "logging.getLogger('app').error('hello')"
    )
    command = ["sh", "-c", '"$0" -c "$1" "$2" 2>&-', sys.executable, script, str(file)]
    subprocess.run(command, cwd=config.ROOT, check=True)
    assert file.read_bytes() == b""


def test_warning_of_any_library_is_a_line_like_the_others() -> None:
    script = (
        "import logging; from app import logs; logs.set_up('DEBUG', 'json');"
        "logging.getLogger('a.package').debug('unheard');"
        "logging.getLogger('a.package').warning('GET /auth/reset/hidden');"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=config.ROOT, check=True, capture_output=True
    )
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["message"] == "GET /auth/reset/..."
