"""Actions on a list's second page lead back to it, or to the first page if it is empty."""

import html
import re

import pytest
from flask import Flask

from tests.conftest import PASSWORD
from tests.contract.test_routes import on_one_database
from tests.support import full_pages
from tests.support.clients import Browser

# Lists with more rows than a page shows, and the end of an action's address.
LISTS = [
    ("/tasks", "/complete"),
    ("/tasks/trash", "/restore"),
    ("/tasks/{task_id}", r"/comments/[\w-]+/delete"),
    ("/settings/tokens", "/revoke"),
]


def next_of(page: str) -> str:
    found = re.search(r'rel="next" href="([^"#]+)', page)
    assert found
    return html.unescape(found[1])


def forms(page: str, act: str) -> list[tuple[str, dict[str, str]]]:
    """Return the address and the fields of each form for the action `act` on a row."""
    found = re.findall(rf'<form[^>]* action="([^"]*{act})"(.*?)</form>', page, re.DOTALL)
    field = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
    return [(to, {n: html.unescape(v) for n, v in field.findall(inner)}) for to, inner in found]


@pytest.fixture
def filled(app: Flask, browser: Browser) -> dict[str, str]:
    """The ids of existing records. Signs in to an account with lists longer than a page."""
    person, values = full_pages.fill(app)
    browser.sign_in(person.username, PASSWORD)
    return values


@pytest.mark.parametrize(("path", "act"), LISTS)
@on_one_database
def test_act_on_the_second_page_leads_back_to_it(
    browser: Browser, filled: dict[str, str], path: str, act: str
) -> None:
    second = next_of(browser.get(path.format(**filled)).text)
    (to, fields), *_ = forms(browser.get(second).text, act)[-1:]
    assert browser.post(to, fields).location.partition("#")[0] == second


@pytest.mark.parametrize(("path", "act"), LISTS[1:])
@on_one_database
def test_page_that_has_become_empty_shows_the_first_one(
    browser: Browser, filled: dict[str, str], path: str, act: str
) -> None:
    path = path.format(**filled)
    second = next_of(browser.get(path).text)
    for to, fields in forms(browser.get(second).text, act):
        browser.post(to, fields)
    shown = browser.get(second, follow_redirects=True).text
    assert len(forms(shown, act)) == len(forms(browser.get(path).text, act)) > 0
    assert 'rel="next"' not in shown
