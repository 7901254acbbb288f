"""llms.txt lists the documents as they are, and AGENTS.md names what exists."""

import re
from pathlib import Path

import pytest

import config
from tests.support.documents import blocks, documents, links
from tests.tools import write_llms

AGENTS = (config.ROOT / "AGENTS.md").read_text(encoding="utf-8")


def test_file_is_what_the_documents_say() -> None:
    assert write_llms.main([]) == 0


def test_other_text_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(write_llms, "TARGET", tmp_path / "llms.txt")
    assert write_llms.main([]) == 1
    assert "make llms" in capsys.readouterr().out
    assert write_llms.main(["--write"]) == write_llms.main([]) == 0


def test_navigation_and_the_list_hold_every_document() -> None:
    listed = {config.ROOT / link for link in links(write_llms.generated())}
    ours = [page for page in documents() if ".github" not in page.parts]
    assert [page for page in ours if page not in {*listed, write_llms.INDEX}] == []


def test_each_page_is_described_by_a_whole_sentence() -> None:
    lines = [line for line in write_llms.generated().splitlines() if line.startswith("- ")]
    assert [line for line in lines if not line.endswith((".", "?"))] == []


def test_page_for_programs_fits_on_a_screen_and_names_what_exists() -> None:
    assert len(AGENTS.splitlines()) <= 60
    makefile = (config.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z-]+)", AGENTS))
    assert {name for name in targets if f"\n{name}:" not in makefile} == set()
    files = re.findall(r"tests/\S+", "".join(block.text for block in blocks(AGENTS)))
    assert [name for name in files if not (config.ROOT / name).exists()] == []
