"""`make rename` on copies of the project."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT
from tools import transform

NAMES = {
    "Acme Desk": transform.Product("Acme Desk", "acme_desk", "acm_"),
    "Überlange Bürogesellschaft für Aufgaben": transform.Product(
        "Überlange Bürogesellschaft für Aufgaben", "uberlange_burogesellschaft_fur", "ube_"
    ),
}
ASK = """
from app.api.openapi import document
from tests.support.databases import make_app

app = make_app("sqlite:////dev")
answers = [app.test_client().get(path) for path in ("/about", "/api/v1/tasks")]
print(answers[0].text, answers[1].headers["WWW-Authenticate"])
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the files that git keeps, as a repository of its own."""
    for path in transform.files_of(ROOT):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_renamed_copy_holds_no_old_name_and_works(copy: Path, name: str) -> None:
    old, new = transform.product_of(ROOT), NAMES[name]
    transform.rename(copy, transform.named(name))
    assert transform.product_of(copy) == new
    spellings = {old.name.casefold(), old.token_prefix}
    assert [
        path.relative_to(copy).as_posix()
        for path, text in transform.texts_of(copy)
        if any(word in text.casefold() for word in spellings)
    ] == []
    shown = run(copy, "-c", ASK)
    assert (name in shown, f'realm="{new.slug}"' in shown, old.name in shown) == (True, True, False)
    run(copy, "-m", "tests.tools.check_spec")
    run(copy, "-m", "ruff", "format", "--quiet", ".")
    run(copy, "-m", "ruff", "check", "--quiet", ".")


def test_rename_keeps_the_licence_and_writes_its_answers(copy: Path) -> None:
    transform.rename(copy, transform.named("Acme Desk", "acme", "acd"))
    assert (copy / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    answers = (copy / "pyproject.toml").read_text().partition("[tool.template]\n")[2]
    assert answers == 'name = "Acme Desk"\nslug = "acme"\nprefix = "acd"\n'


def test_rename_twice_gives_the_second_name(copy: Path) -> None:
    for name in ("Acme Desk", "Bolt Office"):
        transform.rename(copy, transform.named(name))
    assert transform.product_of(copy) == transform.Product("Bolt Office", "bolt_office", "bol_")
    assert (copy / "pyproject.toml").read_text().count("[tool.template]") == 1
    document = json.loads((copy / "docs/openapi.json").read_text())
    assert document["info"]["title"].startswith("Bolt Office")


@pytest.mark.parametrize(
    ("name", "slug", "prefix", "part"),
    [
        ("", "acme", "acd", "NAME"),
        ('A "quoted" name', "acme", "acd", "NAME"),
        ("{braces}", "acme", "acd", "NAME"),
        ("x" * 61, "acme", "acd", "NAME"),
        ("two\nlines", "acme", "acd", "NAME"),
        ("Acme", "Acme-Desk", "acd", "SLUG"),
        ("\u4efb\u52a1", "", "acd", "SLUG"),
        ("Acme", "acme", "ac", "PREFIX"),
        ("Acme", "acme", "a-d", "PREFIX"),
    ],
)
def test_part_that_cannot_be_used_is_told(name: str, slug: str, prefix: str, part: str) -> None:
    faults = list(transform.named(name, slug, prefix).faults())
    assert [fault.partition(" ")[0] for fault in faults] == [part]


def test_refused_name_changes_nothing(copy: Path) -> None:
    with pytest.raises(SystemExit, match=r"^SLUG "):
        transform.rename(copy, transform.named("Acme", "Acme-Desk"))
    assert transform.product_of(copy) == transform.product_of(ROOT)


def test_ordinary_word_is_not_replaced(copy: Path) -> None:
    product = copy / transform.PRODUCT
    product.write_text(product.read_text().replace("NAME = ", 'NAME = "test"  # ', 1))
    with pytest.raises(SystemExit, match="an ordinary word"):
        transform.rename(copy, transform.named("Acme Desk"))
