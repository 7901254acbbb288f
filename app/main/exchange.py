"""Pages to import tasks from a file and to export tasks to a file."""

from typing import Any

import orjson
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from werkzeug.datastructures import FileStorage
from wtforms import FileField
from wtforms.validators import ValidationError

from app.errors import InvalidLines, InvalidParameter
from app.main.task_query import read_query
from app.pages.forms import REFUSALS, Form
from app.pages.submit_once import submit_once
from app.schemas.file_text import FAULTS_MAX
from app.schemas.task_files import CSV, NDJSON, SIZE_MAX, download, read
from app.services.shared.actor import Actor
from app.services.tasks import exchange, importing as task_import
from app.web.current_user import page_user

bp = Blueprint("exchange", __name__)
ENDINGS = {".csv": CSV, ".ndjson": NDJSON, ".jsonl": NDJSON}
FORM_MAX = 2**16  # bytes of the form besides the file


class ImportForm(Form):
    file = FileField(
        "File",
        description="CSV or NDJSON, up to 10 MiB, with the extension .csv, .ndjson or .jsonl.",
        render_kw={"accept": ",".join(ENDINGS)},
    )

    kind = CSV

    def validate_file(self, field: FileField) -> None:
        if not isinstance(field.data, FileStorage) or not field.data.filename:
            raise ValidationError("Choose a file.")
        ending = "." + field.data.filename.rpartition(".")[2].lower()
        if ending not in ENDINGS:
            raise ValidationError(f"The file name must end in {', '.join(ENDINGS)}.")
        self.kind = ENDINGS[ending]


@bp.url_value_preprocessor
def allow_for_a_file(endpoint: str | None, _values: object) -> None:
    """Raise the size limit for signed-in users, before Flask-WTF reads the form's CSRF token."""
    if endpoint == "main.exchange.import_" and page_user().id:
        request.max_content_length = SIZE_MAX + FORM_MAX


@bp.route("/import", methods=["GET", "POST"])
@login_required
def import_() -> ResponseReturnValue:
    form = ImportForm()
    faults: list[dict[str, object]] = []
    if form.validate_on_submit():
        try:
            return _result_page(*_import(form))
        except InvalidLines as error:
            faults = error.lines
            form.file.errors = [f"Nothing was imported. {error.message}"]
        except REFUSALS as error:
            form.file.errors = [error.message]
    page = render_template(
        "main/tasks/import.html", form=form, faults=faults, columns=exchange.COLUMNS
    )
    return page, form.http_status


def _import(form: ImportForm) -> list[Any]:
    """Import the file; return the number of new tasks, the first warnings and their total."""
    rows = list(read(form.kind, form.file.data.read()))  # before the transaction begins

    def make(actor: Actor) -> str:
        imported = task_import.import_tasks(actor, rows)
        shown = imported.warnings[:FAULTS_MAX]
        return orjson.dumps([imported.created, shown, len(imported.warnings)]).decode()

    found: list[Any] = orjson.loads(submit_once(make))
    return found


def _result_page(created: int, warnings: list[dict[str, Any]], number: int) -> ResponseReturnValue:
    if number:
        return render_template(
            "main/tasks/imported.html", created=created, warnings=warnings, number=number
        )
    flash(f"{created} task{'' if created == 1 else 's'} imported.", "success")
    return redirect(url_for("main.tasks.index"), 303)


@bp.get("/export")
@login_required
def export() -> ResponseReturnValue:
    """Download all tasks of the list, with its filters and its order, as CSV."""
    actor, query = page_user(), read_query(request.args)
    if query.faults:
        raise InvalidParameter(" ".join(query.faults))
    filters = query.filters_of(actor.id)
    return download(CSV, exchange.every(actor, filters, query.sort, everyone=False))
