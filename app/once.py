"""A form that makes something, sent twice by an impatient finger, makes it once."""

import hashlib
import re
from collections.abc import Callable

from flask import request

from app.identity import page_user
from app.models.types import ID
from app.services import idempotency
from app.services.actor import Actor

FIELD = "form_id"  # hidden in the form, another one each time that it is shown


def once(make: Callable[[Actor], str]) -> str:
    """The id of what `make` makes of the form, or made when the same form came before.

    A form that was changed since (by the browser's way back) is another one, and so is one without
    the hidden field. Raises what `make` raises.
    """
    actor, sent = page_user(), request.form.get(FIELD, "")
    if not re.fullmatch(ID, sent):
        return make(actor)
    typed = [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"]
    content = hashlib.sha256(repr([request.path, *typed]).encode()).hexdigest()
    # With a blank, which no Idempotency-Key of the API has.
    key = f"form {sent} {content}"
    answer, _ = idempotency.once(
        actor, key, "", lambda: idempotency.Answer(303, {}, make(actor)), wait=True
    )
    return answer.body
