"""A form that makes something, sent twice by an impatient finger, makes it once."""

import hashlib
import re
from collections.abc import Callable

from flask import request
from werkzeug.datastructures import FileStorage

from app.models.types import ID
from app.services.shared import idempotency
from app.services.shared.actor import Actor
from app.web.current_user import page_user

FIELD = "form_id"  # hidden in the form, another one each time that it is shown


def submit_once(make: Callable[[Actor], str]) -> str:
    """What `make` returns for the form, the id of what it makes as a rule, or what it returned when
    the same form came before.

    A form that was changed since (by the browser's way back) is another one, and so is one without
    the hidden field. Raises what `make` raises.
    """
    actor, sent = page_user(), request.form.get(FIELD, "")
    if not re.fullmatch(ID, sent):
        return make(actor)
    typed = [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"]
    typed += [(name, _digest(file)) for name, file in request.files.items(multi=True)]
    content = hashlib.sha256(repr([request.path, *typed]).encode()).hexdigest()
    # With a blank, which no Idempotency-Key of the API has.
    key = f"form {sent} {content}"
    answer, _ = idempotency.run_once(
        actor, key, "", lambda: idempotency.Answer(303, {}, make(actor)), wait=True
    )
    return answer.body


def _digest(file: FileStorage) -> str:
    file.stream.seek(0)
    return hashlib.sha256(file.stream.read()).hexdigest()
