"""SIGHUP loads new code, any number of times, without losing a request."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.server import renewal
from tests.support.gunicorn_server import PATIENCE, Server, half_a_request, read, running, until
from tests.support.metrics import ABOUT, CREDENTIALS, TOKEN, scrape, value

RENEWALS = 3


@contextmanager
def steady_requests(server: Server, *, kept: bool) -> Iterator[Counter[str]]:
    """Send requests for /about one after the other, and count them by status or error name.
    `kept`: on one connection as long as the server keeps it open."""
    outcomes: Counter[str] = Counter()
    done = threading.Event()

    def ask() -> None:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        while not done.is_set():
            try:
                client.request("GET", "/about")
                answer = client.getresponse()
                answer.read()
                outcomes[str(answer.status)] += 1
            except (OSError, http.client.HTTPException) as error:
                outcomes[repr(error)] += 1
                client.close()
            if not kept:
                client.close()
            time.sleep(0.01)
        client.close()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield outcomes
    finally:
        done.set()
        thread.join()


def renew(server: Server) -> None:
    """Send SIGHUP and wait until the new code listens. The code loads twice: to test and to run."""
    until(lambda: server.starts() > 0)  # the server listens before it logs its start
    starts = server.starts()
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.starts() == starts + 1, patience=10 * PATIENCE)


def open_files(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


@pytest.mark.parametrize("token", ["", TOKEN])
def test_no_request_is_lost_over_several_renewals(tmp_path: Path, token: str) -> None:
    with running(tmp_path, METRICS_TOKEN=token, RATELIMIT_ENABLED="0") as server:
        # The master opens a file for each started worker.
        assert server.get("/healthz").status == 200
        before = open_files(server)
        with (
            steady_requests(server, kept=True) as kept,
            steady_requests(server, kept=False) as single,
        ):
            for _ in range(RENEWALS):
                renew(server)
        assert (set(kept), set(single)) == ({"200"}, {"200"})
        until(lambda: open_files(server) == before)
        if token:
            assert value(scrape(server), ABOUT) == kept["200"] + single["200"]
        assert server.stop() == 0


def test_stop_that_arrives_with_a_renewal_is_not_lost(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        # Both signals are delivered together when the process continues.
        for sent in (signal.SIGSTOP, signal.SIGHUP, signal.SIGTERM, signal.SIGCONT):
            server.process.send_signal(sent)
        assert server.process.wait(PATIENCE) == 0


def test_stop_waits_for_requests_that_began_before_a_renewal(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        connection, rest = half_a_request(server)
        with connection:
            renew(server)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: not server.listens())
            with pytest.raises(subprocess.TimeoutExpired):
                server.process.wait(1)
            connection.sendall(rest)
            assert read(connection).status == 401
        assert server.process.wait(PATIENCE) == 0


def test_new_settings_are_taken_and_wrong_ones_are_not(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    with running(tmp_path, METRICS_TOKEN_FILE=str(file)) as server:
        assert server.get("/metrics", CREDENTIALS).status == 200
        file.write_text("")
        renew(server)
        until(lambda: server.get("/metrics", CREDENTIALS).status == 404)
        file.unlink()  # a setting with a missing file is a fault
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "The new code is refused" in server.log.read_text())
        assert server.get("/about").status == 200
        folders = renewal.MEMORY.glob(f"service-{server.process.pid}_*")
        (folder,) = folders if renewal.MEMORY.is_dir() else [tmp_path]
        assert server.stop() == 0
        assert folder == tmp_path or not folder.exists()


@pytest.mark.parametrize(
    ("command", "error"), [(["false"], None), (["sleep", "60"], None), (["/nowhere"], OSError)]
)
def test_code_that_does_not_start_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, command: list[str], error: type[Exception] | None
) -> None:
    monkeypatch.setattr(renewal, "CHECK_TIMEOUT", 0.1)
    with pytest.raises(error) if error else nullcontext():
        assert not renewal.starts(command, "/", {})


def test_metrics_folder_of_an_earlier_release_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / f"earlier-{os.getpid()}_a_b"
    folder.mkdir()
    monkeypatch.setenv(renewal.FIGURES, str(folder))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    renewal.share_figures()
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(folder)
    renewal.remove_figures()
    assert not folder.exists()


def test_stop_ends_the_trial_of_new_code() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        signal.raise_signal(signal.SIGTERM)
        assert not renewal.starts(["sleep", "60"], "/", {})
    finally:
        signal.sigtimedwait({signal.SIGTERM}, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def test_missing_program_leaves_the_master_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The virtual environment is being replaced, or the folder was deleted."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    messages: list[str] = []
    master: Any = SimpleNamespace(
        START_CTX={"cwd": "/"},
        cfg=SimpleNamespace(env_orig={}),
        log=SimpleNamespace(error=lambda message, fault: messages.append(message % fault)),
    )
    renewal.renew(master)
    assert len(messages) == 1
    assert "No such file or directory: '/nowhere/python'" in messages[0]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, set()) == set()


def test_folder_of_figures_goes_with_the_process_that_made_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(renewal, "MEMORY", tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    renewal.share_figures()
    (folder,) = tmp_path.iterdir()
    renewal.share_figures()  # the same process after an exec
    assert list(tmp_path.iterdir()) == [folder]

    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: 1)
        child.setattr(os, "environ", dict(os.environ))
        renewal.remove_figures()
        assert list(tmp_path.iterdir()) == [folder]
        renewal.share_figures()
        assert len(list(tmp_path.iterdir())) == 2
        renewal.remove_figures()
    assert list(tmp_path.iterdir()) == [folder]
    renewal.remove_figures()
    assert list(tmp_path.iterdir()) == []
