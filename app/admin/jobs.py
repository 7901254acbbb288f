"""Admin page of the outbox: pending, sent and failed mails and webhooks."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField

from app.admin.listing import Filters, listed
from app.errors import Conflict
from app.models.outbox import KINDS, STATUSES
from app.pages.forms import choices
from app.pages.redirects import next_page
from app.services.outbox import jobs
from app.services.shared import display_names
from app.web.current_user import page_user

bp = Blueprint("jobs", __name__, url_prefix="/jobs")


class JobFilters(Filters):
    status = SelectField("Status", choices=choices(STATUSES, "Any status"), default="")
    kind = SelectField("Kind", choices=choices(KINDS, "Any kind"), default="")


@bp.get("")
def index() -> str:
    form, actor = JobFilters(), page_user()
    found = listed(form, lambda paging: jobs.page(actor, paging, **form.given()))
    return render_template(
        "admin/jobs.html",
        form=form,
        found=found,
        figures=jobs.figures(actor),
        names=display_names.of_users(actor, (job.user_id for job in found.page.items)),
        here=request.full_path.rstrip("?"),
    )


@bp.post("/<id:job_id>/retry")
def retry(job_id: str) -> ResponseReturnValue:
    try:
        jobs.retry(page_user(), job_id)
    except Conflict as error:
        flash(error.message, "error")
    else:
        flash("Retry queued.", "success")
    return redirect(next_page(url_for(".index")), 303)
