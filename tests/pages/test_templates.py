"""Rules for the text of every template of the pages."""

import re
from pathlib import Path

import pytest

import app
from app.models.task import PRIORITIES, STATUSES

FOLDER = Path(app.__file__).with_name("templates")
PAGES = [path for path in sorted(FOLDER.rglob("*.html")) if "mail" not in path.parts]
# Pieces of HTML that the Content-Security-Policy refuses.
REFUSED = re.compile(r"<style|<script>|\sstyle=|\son[a-z]+=|javascript:")
each = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(FOLDER)))


@each
def test_no_template_uses_an_attribute_that_html_does_not_know(path: Path) -> None:
    """htmx reads `data-hx-get` as `hx-get`; HTML allows only the first (HTML, 3.2.6.6)."""
    assert re.findall(r"(?<!data-)\bhx-[a-z-]+=", path.read_text()) == []


@each
def test_no_template_lists_the_statuses_or_priorities(path: Path) -> None:
    """A list of them comes from the model, so that a new one is shown everywhere."""
    values = "|".join((*STATUSES, *PRIORITIES))
    assert re.findall(rf"""["']({values})["'], ["']({values})["']""", path.read_text()) == []


@each
def test_no_template_holds_what_the_policy_refuses(path: Path) -> None:
    assert REFUSED.findall(path.read_text()) == []
