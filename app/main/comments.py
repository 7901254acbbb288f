"""Creation, change and deletion of comments, which the page of the task lists."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.errors import PreconditionFailed
from app.main.task_forms import seen_version
from app.main.task_show import COMMENTS, COMMENTS_SHOWN, ENDPOINT, CommentForm, show_task
from app.models import Comment
from app.pages.pagination import binding
from app.pages.redirects import next_page
from app.pages.submit_once import submit_once
from app.services.shared.paging import PageRequest
from app.services.tasks import comments
from app.web.current_user import page_user
from app.web.cursors import seal

bp = Blueprint("comments", __name__)


@bp.post("")
@login_required
def create(task_id: str) -> ResponseReturnValue:
    form = CommentForm()
    if form.validate_on_submit():
        with form.show_refusals():
            made = submit_once(lambda actor: comments.create(actor, task_id, **form.values()).id)
            flash("Your comment is added.", "success")
            return redirect(_url_of(comments.get(page_user(), task_id, made)), 303)
    return show_task(task_id, form)


@bp.route("/<id:comment_id>/edit", methods=["GET", "POST"])
@login_required
def update(task_id: str, comment_id: str) -> ResponseReturnValue:
    actor = page_user()
    comment = comments.get_to_edit(actor, task_id, comment_id)
    form, theirs = CommentForm(obj=comment), None
    version = seen_version() if form.is_submitted() else comment.version
    if form.validate_on_submit():
        with form.show_refusals():
            try:
                comments.update(actor, task_id, comment_id, **form.values(), expect={version})
                flash("Saved.", "success")
                return redirect(_url_of(comment), 303)
            except PreconditionFailed:
                theirs = comments.get(actor, task_id, comment_id)
                version = theirs.version
    page = render_template(
        "main/tasks/comment.html", form=form, task_id=task_id, version=version, theirs=theirs
    )
    return page, PreconditionFailed.status if theirs else form.http_status


@bp.post("/<id:comment_id>/delete")
@login_required
def delete(task_id: str, comment_id: str) -> ResponseReturnValue:
    comments.delete(page_user(), task_id, comment_id)
    flash("The comment is removed.", "success")
    return redirect(next_page(url_for(ENDPOINT, task_id=task_id, _anchor=COMMENTS)), 303)


def _url_of(comment: Comment) -> str:
    """Return the comment's URL: on the first page of the list, or at the top of a later one."""
    task_id, cursor = comment.task_id, None
    first = comments.page(page_user(), task_id, PageRequest(COMMENTS_SHOWN))
    if comment.id not in {one.id for one in first.items}:
        before = comment.created_at - timedelta(microseconds=1)
        of_list = binding(ENDPOINT, task_id=task_id, _anchor=COMMENTS)
        cursor = seal([before, comment.id], of_list)
    return url_for(ENDPOINT, task_id=task_id, cursor=cursor, _anchor=f"comment-{comment.id}")
