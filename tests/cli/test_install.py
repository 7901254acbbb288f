"""`make install` installs the lock, with any index and after any earlier run."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.package_index import PackageIndex
from tools import install

ROOT = Path(__file__).parents[2]
WITHOUT_ENSUREPIP = """
import runpy, sys
sys.modules["ensurepip"] = None
runpy.run_path("tools/install.py", run_name="__main__")
"""
pytestmark = pytest.mark.slow


class Project:
    """A checkout with its own lock, in a folder with blanks and umlauts."""

    def __init__(self, folder: Path, index: PackageIndex) -> None:
        self.folder, self.index = folder, index
        shutil.copytree(ROOT / "tools", folder / "tools")
        shutil.copy(ROOT / "Makefile", folder)

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    def lock(self, lines: str) -> None:
        (self.folder / "requirements.txt").write_text(lines)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        alone = {name: os.devnull if name == "PIP_CONFIG_FILE" else "" for name in PIP_SETTINGS}
        return subprocess.Popen(
            [sys.executable, *(arguments or ("tools/install.py", "requirements.txt"))],
            cwd=self.folder,
            env={**os.environ, **alone, "PIP_INDEX_URL": self.index.url, **environ},
            stderr=subprocess.PIPE,
            text=True,
        )

    def install(self, *arguments: str, **environ: str) -> tuple[int, str]:
        """Run the installation, and return its exit status and standard error."""
        process = self.start(*arguments, **environ)
        _, written = process.communicate(timeout=300)
        return process.returncode, written

    def packages(self) -> dict[str, str]:
        """Return each package in .venv with its version, without those of venv itself."""
        found = (self.venv / "lib").glob("python*/site-packages/*.dist-info")
        named = [path.stem.rsplit("-", 1) for path in found]
        return {name: version for name, version in named if name not in ("pip", "setuptools")}


PIP_SETTINGS = ("PIP_CONFIG_FILE", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONSTRAINT")
LOCKED = {"toolbox": "1.0", "tomlish": "1.0", "user": "1.0", "plain": "1.0"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose lock names two packages, one with an extra; the index has newer ones."""
    index = PackageIndex(tmp_path / "index")
    extra = ["tomlish>=1; extra == 'toml'"]
    lock = index.release("toolbox", "1.0", extra).replace("==", "[toml]==", 1)
    lock += index.release("tomlish", "1.0") + index.release("plain", "1.0")
    lock += index.release("user", "1.0", ["toolbox[toml]>=1", "plain"])
    for name, requires in {"toolbox": extra, "tomlish": [], "plain": ["unheard-of"]}.items():
        index.release(name, "1.1", requires)
    made = Project(tmp_path / "Grüße an alle", index)
    made.lock(lock)
    return made


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One finished .venv for all tests, because creating one takes seconds."""
    return {"": tmp_path_factory.mktemp("finished") / ".venv"}


@pytest.fixture
def installed(project: Project, venv: dict[str, Path]) -> Project:
    """The project with a copy of the finished .venv."""
    if not venv[""].exists():
        assert project.install()[0] == 0
        shutil.copytree(project.venv, venv[""], symlinks=True)
        return project
    shutil.copytree(venv[""], project.venv, symlinks=True)
    record = project.venv / install.RECORD.name
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, "place": [str(project.venv), *content["place"][1:]]}))
    return project


def test_what_was_released_since_changes_nothing(installed: Project) -> None:
    assert installed.packages() == LOCKED


def test_the_oldest_pip_installs_the_lock(project: Project, tmp_path: Path) -> None:
    pip, target = tmp_path / "pip", tmp_path / "target"
    oldest = ["--no-deps", "--require-hashes", "-r", str(ROOT / "tests" / "oldest-pip.txt")]
    fetched = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--dest", pip, *oldest],
        capture_output=True,
        text=True,
    )
    if fetched.returncode != 0 and not os.environ.get("CI"):
        pytest.skip(f"The package index cannot be reached: {fetched.stderr[-200:]}")
    assert fetched.returncode == 0, fetched.stderr
    (wheel,) = pip.glob("*.whl")
    command = [f"{wheel}/pip", *install.INSTALL, "--target", str(target), "-r", "requirements.txt"]
    assert project.install(*command) == (0, "")
    names = {path.stem for path in target.glob("*.dist-info")}
    assert names == {f"{name}-{version}" for name, version in LOCKED.items()}


def test_second_run_does_nothing(installed: Project) -> None:
    shutil.rmtree(installed.index.folder)
    assert installed.install() == (0, "")


@pytest.mark.parametrize("damage", ["unfinished", "without pip", "moved", "other lock"])
def test_unusable_venv_is_made_anew(installed: Project, damage: str) -> None:
    (installed.venv / "lib" / "stale").mkdir()
    expected = LOCKED
    if damage == "unfinished":
        (installed.venv / install.RECORD.name).unlink()
        (installed.venv / "bin" / "python").unlink()
        (installed.venv / "bin" / "python").symlink_to("/nowhere/python")
    elif damage == "without pip":
        for folder in installed.venv.glob("lib/python*/site-packages/pip*"):
            shutil.rmtree(folder)
    elif damage == "moved":
        installed.folder = installed.folder.rename(installed.folder.with_name("moved"))
    else:
        installed.lock(installed.index.release("plain", "2.0"))
        expected = {"plain": "2.0"}
    assert installed.install()[0] == 0
    assert installed.packages() == expected
    assert not (installed.venv / "lib" / "stale").exists()


def test_development_lock_is_added_to_the_other(installed: Project) -> None:
    (installed.folder / "requirements-dev.txt").write_text(
        installed.index.release("checker", "3.0")
    )
    both = ("tools/install.py", "requirements.txt", "requirements-dev.txt")
    assert installed.install(*both) == (0, "Installing requirements-dev.txt into .venv ...\n")
    assert installed.packages() == {**LOCKED, "checker": "3.0"}


def test_two_at_once_make_one_venv(project: Project) -> None:
    both = [project.start(), project.start()]
    written = [process.communicate(timeout=300)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert min(map(len, written)) == 0
    assert project.packages() == LOCKED


def test_incomplete_lock_is_refused(project: Project) -> None:
    project.lock(project.index.release("alone", "1.0", ["plain"]))
    status, written = project.install()
    assert status == 1
    assert "alone 1.0 requires plain, which is not installed" in written
    assert not (project.venv / install.RECORD.name).exists()


def test_index_out_of_reach_is_named_without_its_password(project: Project) -> None:
    url = "http://user:secret-word@127.0.0.1:9/simple"
    status, written = project.install(PIP_INDEX_URL=url, PIP_RETRIES="0")
    assert status == 1
    assert "The package index http://127.0.0.1:9/simple does not answer" in written
    assert "PIP_INDEX_URL" in written
    assert "secret-word" not in written


def test_python_without_ensurepip_names_the_package_and_leaves_nothing(project: Project) -> None:
    status, written = project.install("-c", WITHOUT_ENSUREPIP, "requirements.txt")
    assert status == 1
    assert "-venv" in written
    assert not project.venv.exists()


def test_settings_of_pip_lead_to_no_other_place(project: Project, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    assert project.install(PIP_USER="1", PIP_TARGET=elsewhere, PYTHONPATH=elsewhere)[0] == 0
    assert project.packages() == LOCKED


def locked(*names: str) -> dict[str, str]:
    """Return each package that the locks name for this Python, with its version."""
    text = "".join((ROOT / name).read_text() for name in names)
    found: dict[str, str] = {}
    for line in re.findall(r"^[a-z][^#\n]*?(?= *\\\n)", text, re.MULTILINE):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            found[str(canonicalize_name(requirement.name))] = pin.version
    return found


def test_this_environment_holds_the_locks() -> None:
    here = {str(canonicalize_name(each.metadata["Name"])): each.version for each in distributions()}
    expected = locked("requirements.txt", "requirements-dev.txt")
    assert len(expected) > 100
    assert {name: here.get(name) for name in expected} == expected
    if (ROOT / ".venv" / "installed.json").exists() and os.environ.get("CI"):
        assert set(here) - set(expected) <= {"pip", "setuptools"}


@pytest.mark.parametrize(
    "lock", ["requirements.txt", "bench/rivals/requirements.txt", "docs/requirements.txt"]
)
def test_lock_names_each_package_with_version_and_hash(lock: str) -> None:
    entries = re.split(r"\n(?=[a-z])", (ROOT / lock).read_text().strip())
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_lock_of_the_service_is_part_of_the_one_for_development() -> None:
    both = locked("requirements-dev.txt")
    assert locked("requirements.txt").items() <= both.items()
