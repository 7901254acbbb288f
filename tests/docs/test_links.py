"""Each link of a document leads to a file and a heading of the repository."""

from pathlib import Path

import pytest

import config
from tests.support.documents import anchors, broken_links, documents, links

PAGE = """# The page

[a](other.md) [b](other.md#one-thing) [c](#the-page) ![d](map.svg) [e](https://example.org/x#y)

```python
[not](a-link)
```
"""


@pytest.mark.parametrize(
    "document", documents(), ids=lambda path: str(path.relative_to(config.ROOT))
)
def test_links_lead_somewhere(document: Path) -> None:
    assert broken_links(document) == []


def test_documents_of_all_folders_are_read() -> None:
    names = {str(path.relative_to(config.ROOT)) for path in documents()}
    assert names >= {"README.md", "docs/api.md", "docs/index.md"}


def test_links_of_prose_are_found() -> None:
    assert links(PAGE) == ["other.md", "other.md#one-thing", "#the-page", "map.svg"]


def test_file_and_heading_that_do_not_exist_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert broken_links(page) == ["other.md", "other.md#one-thing", "map.svg"]
    (tmp_path / "map.svg").touch()
    (tmp_path / "other.md").write_text("# Other\n\n## Two things\n")
    assert broken_links(page) == ["other.md#one-thing"]


def test_anchors_are_those_of_code_hosts() -> None:
    text = "# Changing `SECRET_KEY`\n\n## Where is ...?\n\n## A\n\n## A\n\n```\n# no heading\n```\n"
    assert anchors(text) == {"changing-secret_key", "where-is-", "a", "a-1"}
