"""`make release-check`: the checks before a version is tagged. Each fault is a line.

The version is that of app/version.py (SemVer 2.0.0), and its tag is v<version>. The checks of the
lock and of CI need the network: uv asks the package index, gh asks for the runs of the commit.
"""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from runpy import run_path

import config
from tests.tools.breaking import breaks

SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
SECTION = re.compile(r"^## (\S+) \(([^)]+)\)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FORKS = re.compile(r"^### For forks\n+(?=[^#\s])", re.MULTILINE)
PIN = re.compile(r"^([a-z0-9][\w.-]*)==(\S+)", re.MULTILINE)
SPEC = "docs/openapi.json"
# Each input of uv with its lock. The lock of development agrees with that of the service.
LOCKS = {
    "requirements": "",
    "requirements-dev": "requirements.txt",
    "docs/requirements": "",
    "bench/rivals/requirements": "",
    "examples/model/requirements": "requirements.txt",
    "examples/notebook/requirements": "",
}
LOCKING = ["--quiet", "--universal", "--python-version", "3.11", "--no-strip-extras", "--no-header"]


@dataclass(frozen=True)
class Repository:
    root: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)

    def git(self, *arguments: str) -> str:
        """Return the output. Raises CalledProcessError."""
        done = self.run("git", *arguments)
        done.check_returncode()
        return done.stdout.strip()

    @property
    def version(self) -> str:
        return str(run_path(str(self.root / "app" / "version.py"))["VERSION"])

    @property
    def last_tag(self) -> str:
        """Return the newest tag of a version, or ""."""
        tags = self.git("tag", "--list", "v*", "--merged", "HEAD").split()
        return max((tag for tag in tags if SEMVER.fullmatch(tag[1:])), key=numbers, default="")


def numbers(version: str) -> tuple[int, ...]:
    """Return (major, minor, patch) of a version or its tag."""
    return tuple(int(part) for part in version.removeprefix("v").split("."))


def tree(project: Repository) -> Iterator[str]:
    """Yield each file that is not committed."""
    for line in project.git("status", "--porcelain").splitlines():
        yield f"not committed: {line.split(maxsplit=1)[1]}"


def version(project: Repository) -> Iterator[str]:
    """Yield a fault unless the version follows that of the last tag."""
    if not SEMVER.fullmatch(project.version):
        yield f"{project.version} is not major.minor.patch"
    elif project.last_tag and numbers(project.version) <= numbers(project.last_tag):
        yield f"{project.version} is not above {project.last_tag}: raise it in app/version.py"


def changelog(project: Repository) -> Iterator[str]:
    """Yield the faults of the section that describes the version."""
    sections = SECTION.findall((project.root / "CHANGELOG.md").read_text(encoding="utf-8"))
    newest, date, text = sections[0] if sections else ("none", "", "")
    if newest != project.version:
        yield f"the newest section of CHANGELOG.md is {newest}, not {project.version}"
        return
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        yield f'write the date of the release instead of "{date}"'
    if not FORKS.search(text):
        yield 'the section lacks "### For forks" with a text'


def contract(project: Repository) -> Iterator[str]:
    """Yield each change that breaks clients of the last tag, unless the major version grew."""
    tag = project.last_tag
    if tag and numbers(project.version)[0] == numbers(tag)[0]:
        old = json.loads(project.git("show", f"{tag}:{SPEC}"))
        new = json.loads((project.root / SPEC).read_text(encoding="utf-8"))
        yield from breaks(old, new)


def migrations(project: Repository) -> Iterator[str]:
    """Yield the output of `make migrations-check` if it fails."""
    done = project.run(sys.executable, "-m", "tests.tools.check_migrations")
    if done.returncode:
        yield done.stdout + done.stderr


def lock(project: Repository) -> Iterator[str]:
    """Yield each package that `make lock ARGS=--upgrade` would change."""
    uv = str(Path(sysconfig.get_path("scripts")) / "uv")
    with tempfile.TemporaryDirectory() as name:
        for stem, constraint in LOCKS.items():
            new = Path(name) / "lock.txt"
            bound = ["-c", constraint] if constraint else []
            done = project.run(
                uv, "pip", "compile", *LOCKING, "--upgrade", *bound, f"{stem}.in", "-o", str(new)
            )
            if done.returncode:
                yield f"{stem}.in cannot be locked: {done.stderr.strip()}"
            else:
                old = (project.root / f"{stem}.txt").read_text(encoding="utf-8")
                for change in outdated(old, new.read_text(encoding="utf-8")):
                    yield f"{stem}.txt: {change}"


def outdated(old: str, new: str) -> list[str]:
    """Return the packages whose pins differ between two locks, as "flask 3.1.2 -> 3.1.3"."""
    was, is_ = _pins(old), _pins(new)
    names = [name for name in sorted(was | is_) if was.get(name) != is_.get(name)]
    return [f"{name} {was.get(name, 'none')} -> {is_.get(name, 'none')}" for name in names]


def _pins(text: str) -> dict[str, str]:
    """Return the versions by package; one that differs by platform has several."""
    pins: dict[str, str] = {}
    for name, pin in PIN.findall(text):
        pins[name] = f"{pins[name]}, {pin}" if name in pins else pin
    return pins


def continuous_integration(project: Repository) -> Iterator[str]:
    """Yield a fault unless the last run of CI for this commit succeeded."""
    commit = project.git("rev-parse", "HEAD")
    if shutil.which("gh") is None:
        yield f"install gh, which asks whether CI is green for {commit[:10]}"
        return
    asked = ("--workflow", "CI", "--commit", commit, "--limit", "1", "--json", "conclusion")
    done = project.run("gh", "run", "list", *asked)
    if done.returncode:
        yield f"gh run list failed: {done.stderr.strip()}"
    elif [run["conclusion"] for run in json.loads(done.stdout)] != ["success"]:
        yield f"CI has no successful run for {commit[:10]}: {done.stdout.strip()}"


CHECKS: tuple[Callable[[Repository], Iterator[str]], ...] = (
    tree,
    version,
    changelog,
    contract,
    migrations,
    lock,
    continuous_integration,
)


def main() -> int:
    project, failed = Repository(config.ROOT), 0
    for check in CHECKS:
        faults = list(check(project))
        failed += bool(faults)
        print(f"{'fault' if faults else 'ok':5}  {check.__name__.replace('_', ' ')}")
        print(*(f"       {fault}" for fault in faults), sep="\n", end="\n" if faults else "")
    if not failed:
        tag = f"v{project.version}"
        print(f"Tag it: git tag --annotate {tag} --message {tag} && git push origin {tag}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
