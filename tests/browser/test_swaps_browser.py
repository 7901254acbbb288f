"""Forms of the list and the board in a real Chromium keep the focus and show a refusal."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from app.models import Session
from app.models.task import TITLE_MAX
from app.services.access import active_sessions
from app.services.shared.actor import Actor
from app.services.tasks import tasks
from tests.browser.test_browser import chromium, opened, pytestmark, sign_in, url
from tests.contract.test_routes import on_one_database
from tests.pages.test_tasks_pages import make
from tests.support.rows import rows

__all__ = ["chromium", "pytestmark", "url"]
SMALL = {"width": 900, "height": 500}
FOCUSED = "document.activeElement.id"
# A reload of the page deletes the variable.
MARK = "window.notReloaded = true"
MARKED = "window.notReloaded === true"


@pytest.fixture
def page(chromium: Browser, url: str, ann: Actor) -> Iterator[Page]:
    with opened(chromium.new_context(viewport=SMALL)) as page:  # type: ignore[arg-type]
        sign_in(page, url, ann.username)
        yield page


@pytest.fixture
def plain(chromium: Browser, url: str, ann: Actor) -> Iterator[Page]:
    """A page without JavaScript."""
    with opened(chromium.new_context(java_script_enabled=False, viewport=SMALL)) as page:  # type: ignore[arg-type]
        sign_in(page, url, ann.username)
        yield page


def make_many(app: Flask, actor: Actor, number: int = 45) -> list[str]:
    """Create tasks, and return their ids in the order of the list."""
    return [make(app, actor, f"Task {index}").id for index in range(number)][::-1]


def second_page(page: Page, url: str, query: str = "") -> str:
    """Open the second page of the list, and return its address."""
    page.goto(f"{url}/tasks?{query}")
    page.get_by_role("link", name="Next page").click()
    page.get_by_role("link", name="First page").wait_for()
    return page.url


def tick(page: Page, task_id: str) -> None:
    """Tick the task by the keyboard. Returns when the answer is shown."""
    page.focus(f"#tick-{task_id}")
    with page.expect_response("**/tasks**"):
        page.keyboard.press("Enter")
    expect(page.get_by_role("status").get_by_text("Done: ")).to_be_visible()


def top_of(page: Page, task_id: str) -> int:
    """Return the pixels from the top of the window to the row."""
    box = page.locator(f"#task-{task_id}").bounding_box()
    assert box
    return round(box["y"])


@on_one_database
def test_tick_on_the_second_page_keeps_page_scroll_and_focus(
    app: Flask, url: str, page: Page, ann: Actor
) -> None:
    ids = make_many(app, ann)
    address = second_page(page, url)
    page.locator(f"#tick-{ids[35]}").scroll_into_view_if_needed()
    page.focus(f"#tick-{ids[35]}")
    before = [top_of(page, ids[35]), page.evaluate("history.length")]
    tick(page, ids[35])
    expect(page.locator(f"#task-{ids[35]}")).to_have_class("done")
    assert page.url == address
    assert [top_of(page, ids[35]), page.evaluate("history.length")] == before
    assert page.evaluate(FOCUSED) == f"tick-{ids[35]}"


@on_one_database
@pytest.mark.parametrize(("ticked", "focused"), [(5, 6), (44, 43)], ids=["inside", "last"])
def test_tick_that_takes_the_row_away_moves_the_focus_to_its_neighbour(
    app: Flask, url: str, page: Page, ann: Actor, ticked: int, focused: int
) -> None:
    ids = make_many(app, ann)
    page.goto(f"{url}/tasks?status=todo")
    for _ in range(ticked // 20):
        page.get_by_role("link", name="Next page").click()
        page.locator(f"#task-{ids[ticked]}, .pager").first.wait_for()
    tick(page, ids[ticked])
    expect(page.locator(f"#task-{ids[ticked]}")).to_have_count(0)
    assert page.evaluate(FOCUSED) == f"tick-{ids[focused]}"


@on_one_database
def test_last_task_of_a_page_leads_to_the_first_page(
    app: Flask, url: str, page: Page, ann: Actor
) -> None:
    ids = make_many(app, ann, 21)
    second_page(page, url, "status=todo")
    tick(page, ids[20])
    expect(page.locator(f"#task-{ids[0]}")).to_be_visible()
    assert page.url == f"{url}/tasks?status=todo"
    assert page.evaluate(FOCUSED) == f"tick-{ids[0]}"


@on_one_database
def test_tick_without_javascript_keeps_the_page_and_shows_the_neighbour(
    app: Flask, url: str, plain: Page, ann: Actor
) -> None:
    ids = make_many(app, ann)
    address = second_page(plain, url)
    plain.locator(f"#tick-{ids[35]}").click()
    expect(plain.locator(f"#task-{ids[35]}")).to_have_class("done")
    assert plain.url == f"{address}#task-{ids[36]}"
    expect(plain.locator(f"#task-{ids[36]}")).to_be_in_viewport()


@on_one_database
def test_bulk_act_keeps_page_and_focus(app: Flask, url: str, page: Page, ann: Actor) -> None:
    ids = make_many(app, ann)
    address = second_page(page, url)
    page.locator(f"#task-{ids[30]} input[type=checkbox]").check()
    page.focus("#bulk-done")
    page.keyboard.press("Enter")
    expect(page.locator(f"#task-{ids[30]}")).to_have_class("done")
    assert page.url == address
    assert page.evaluate(FOCUSED) == "bulk-done"


@on_one_database
def test_bulk_act_that_empties_the_list_moves_the_focus_to_quick_add(
    app: Flask, url: str, page: Page, ann: Actor
) -> None:
    make(app, ann)
    page.goto(f"{url}/tasks")
    page.get_by_label("All", exact=True).check()
    page.focus("#bulk-delete")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No tasks yet")).to_be_visible()
    assert page.evaluate(FOCUSED) == "quick-title"


@on_one_database
def test_quick_add_stays_ready_for_the_next_task(url: str, page: Page) -> None:
    page.goto(f"{url}/tasks")
    page.get_by_label("Title of a new task").fill("Buy milk")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("link", name="Buy milk")).to_be_visible()
    assert page.evaluate(FOCUSED) == "quick-title"
    assert page.input_value("#quick-title") == ""


@on_one_database
def test_move_on_the_board_keeps_the_focus_and_shows_the_card(
    app: Flask, url: str, page: Page, ann: Actor
) -> None:
    ids = make_many(app, ann, 8)
    page.goto(f"{url}/tasks/board")
    page.locator(f"#move-{ids[4]}").select_option("done")
    page.focus(f"#send-{ids[4]}")
    page.keyboard.press("Enter")
    expect(page.locator(f"[data-column=done] #task-{ids[4]}")).to_be_in_viewport()
    assert page.evaluate(FOCUSED) == f"send-{ids[4]}"
    assert page.url == f"{url}/tasks/board"


@on_one_database
def test_card_that_is_dropped_gets_the_focus(app: Flask, url: str, page: Page, ann: Actor) -> None:
    task = make(app, ann)
    page.goto(f"{url}/tasks/board")
    page.drag_and_drop(f"#task-{task.id}", "[data-column=done]")
    expect(page.locator(f"[data-column=done] #task-{task.id}")).to_be_visible()
    assert page.evaluate(FOCUSED) == f"move-{task.id}"


def add_too_long(page: Page, url: str) -> str:
    """Send a title by quick add that the server refuses, and return the title."""
    title = "x" * (TITLE_MAX + 1)
    page.goto(f"{url}/tasks")
    page.evaluate(MARK)
    page.evaluate("document.getElementById('quick-title').removeAttribute('maxlength')")
    page.fill("#quick-title", title)
    page.keyboard.press("Enter")
    return title


@on_one_database
def test_refused_quick_add_shows_why_beside_the_field_and_keeps_the_text(
    url: str, page: Page
) -> None:
    title = add_too_long(page, url)
    expect(page.locator(".quick .problem")).to_contain_text("200 characters")
    field = page.get_by_label("Title of a new task")
    expect(field).to_have_value(title)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(page.locator(".quick .problem").inner_text())
    assert (page.evaluate(FOCUSED), page.evaluate(MARKED)) == ("quick-title", True)


@on_one_database
def test_refusal_goes_when_the_form_is_sent_again(url: str, page: Page) -> None:
    add_too_long(page, url)
    page.locator(".quick .problem").wait_for()
    page.fill("#quick-title", "Short")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Short")).to_be_visible()
    expect(page.locator(".problem")).to_have_count(0)


@on_one_database
def test_refused_tick_shows_why_in_its_row(app: Flask, url: str, page: Page, ann: Actor) -> None:
    task = make(app, ann)
    page.goto(f"{url}/tasks")
    page.evaluate(MARK)
    with app.app_context():
        tasks.delete(ann, task.id)
    page.focus(f"#tick-{task.id}")
    page.keyboard.press("Enter")
    expect(page.locator(f"#task-{task.id} .problem")).to_contain_text("There is no such task.")
    assert (page.evaluate(FOCUSED), page.evaluate(MARKED)) == (f"tick-{task.id}", True)


@on_one_database
def test_refused_move_and_bulk_act_show_why(app: Flask, url: str, page: Page, ann: Actor) -> None:
    task = make(app, ann)
    forge = "document.querySelectorAll('main [name=csrf_token]').forEach((f) => f.value = 'x')"
    for path, button in (("/tasks/board", f"#send-{task.id}"), ("/tasks", "#bulk-done")):
        page.goto(url + path)
        page.evaluate(forge)
        page.click(button)
        expect(page.locator(f".problem:near({button})").first).to_contain_text("reload the page")


@on_one_database
def test_form_that_does_not_reach_the_service_keeps_its_text(
    chromium: Browser, url: str, ann: Actor
) -> None:
    context = chromium.new_context()  # its console shows the failed request
    page = context.new_page()
    sign_in(page, url, ann.username)
    page.goto(f"{url}/tasks")
    page.fill("#quick-title", "Buy milk")
    page.route("**/tasks/new", lambda route: route.abort())
    page.keyboard.press("Enter")
    problem = page.locator(".quick .problem")
    expect(problem).to_have_text("The service is not reachable. Try again.")
    page.unroute("**/tasks/new")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Buy milk")).to_be_visible()
    context.close()


@on_one_database
def test_form_that_is_sent_after_the_session_ended_leads_to_sign_in(
    app: Flask, url: str, page: Page, ann: Actor
) -> None:
    make(app, ann)
    page.goto(f"{url}/tasks")
    with app.app_context():
        (session,) = rows(Session)
        active_sessions.end_session(ann, session.id)
    page.click(".tick")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@on_one_database
def test_form_is_sent_once_however_often_it_is_submitted(url: str, page: Page) -> None:
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto(f"{url}/tasks/new")
    page.get_by_label("Title").fill("Milk")
    page.evaluate("""() => {
      const form = document.querySelector("main form");
      form.requestSubmit();
      form.requestSubmit();
    }""")
    expect(page.get_by_role("heading", name="Milk")).to_be_visible()
    assert sent.count("POST") == 1


@on_one_database
def test_cancelled_task_differs_from_a_done_one_by_more_than_its_colour(
    app: Flask, url: str, page: Page, ann: Actor
) -> None:
    looks = []
    for status in ("todo", "done", "cancelled"):
        task = make(app, ann, status=status)
        page.goto(f"{url}/tasks")
        style = f"getComputedStyle(document.querySelector('#task-{task.id} .task-title'))"
        line = page.evaluate(f"{style}.textDecorationLine")
        looks.append((line, page.locator(f"#tick-{task.id} path").get_attribute("d")))
    todo, done, cancelled = looks
    assert [line for line, _ in looks] == ["none", "none", "line-through"]
    assert todo[1] == done[1] != cancelled[1]
