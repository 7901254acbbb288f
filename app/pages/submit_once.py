"""Protection of forms against double submission."""

import hashlib
import re
from collections.abc import Callable

from flask import request
from werkzeug.datastructures import FileStorage

from app.models.types import ID
from app.services.shared import idempotency
from app.services.shared.actor import Actor
from app.web.current_user import page_user

FIELD = "form_id"  # hidden field, with a new value in each rendered form


def submit_once(make: Callable[[Actor], str]) -> str:
    """Call `make` once for a form and return its result, usually an id; a repeated form returns
    the stored result.

    A form whose values have changed since (after the browser's back button), or without the hidden
    field, counts as a new one. Raises the errors of `make`.
    """
    actor, sent = page_user(), request.form.get(FIELD, "")
    if not re.fullmatch(ID, sent):
        return make(actor)
    typed = [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"]
    typed += [(name, _digest(file)) for name, file in request.files.items(multi=True)]
    content = hashlib.sha256(repr([request.path, *typed]).encode()).hexdigest()
    # The space keeps the key apart from every Idempotency-Key of the API.
    key = f"form {sent} {content}"
    answer, _ = idempotency.run_once(
        actor, key, "", lambda: idempotency.Answer(303, {}, make(actor)), wait=True
    )
    return answer.body


def _digest(file: FileStorage) -> str:
    file.stream.seek(0)
    return hashlib.sha256(file.stream.read()).hexdigest()
