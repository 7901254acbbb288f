"""The page of one task, with its comments and its history."""

from flask import render_template
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from app.models.comment import BODY_MAX
from app.pages.forms import Form, many_lines, plain_lines
from app.pages.pagination import listed
from app.services.shared import display_names
from app.services.tasks import access as task_access, comments, history as task_events, tasks
from app.web.current_user import page_user

ENDPOINT = "main.tasks.show"
COMMENTS = "comments"  # the anchor of the list
COMMENTS_SHOWN = 20  # on one page


class CommentForm(Form):
    body = TextAreaField(
        "Your comment",
        [InputRequired("Enter a comment."), Length(max=BODY_MAX), many_lines],
        filters=[plain_lines],
    )


def show_task(task_id: str, form: CommentForm) -> ResponseReturnValue:
    """Return the page with the comment form `form`. Raises NotFound."""
    actor = page_user()
    task = tasks.get(actor, task_id)
    events = task_events.history(actor, task_id)
    said = listed(
        lambda paging: comments.page(actor, task_id, paging, task=task),
        ENDPOINT,
        count=True,
        limit=COMMENTS_SHOWN,
        task_id=task_id,
        _anchor=COMMENTS,
    )
    mentioned = [i for event in events for i in event.changes.get("assignee_id", ())]
    mentioned += [task.owner_id, task.assignee_id, *(one.author_id for one in said.page.items)]
    page = render_template(
        "main/tasks/show.html",
        task=task,
        events=events,
        said=said,
        form=form,
        may_delete=task_access.owns(actor, task),
        mine={one.id for one in said.page.items if comments.may_edit(actor, one)},
        removable={one.id for one in said.page.items if comments.may_delete(actor, task, one)},
        people=display_names.of_users(actor, mentioned),
    )
    return page, form.http_status
