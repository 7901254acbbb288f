"""Parsing of a `multipart/form-data` body that contains one file (RFC 7578)."""

from io import BytesIO
from typing import Any

from flask import Request, current_app
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.formparser import FormDataParser

from app.api.http import request_parsing
from app.errors import ContentTooLarge, Invalid, Malformed
from app.faults import Code, Fault
from app.schemas.strict_json import step

MULTIPART = "multipart/form-data"
AROUND_MAX = 2**16  # bytes of the form besides the file


def file_of(request: Request, name: str, size_max: int) -> tuple[bytes, str]:
    """Return the content and media type of the file in `name`, the only field of the form.

    Raises Malformed, Invalid, and ContentTooLarge above `size_max` bytes.
    """
    form, files = _parse(request)
    faults = {step(key): _UNKNOWN for key in (*files, *form) if key != name}
    found, texts = files.getlist(name), form.getlist(name)
    if len(found) + len(texts) > 1:
        faults[name] = _REPEATED
    elif not found:
        faults[name] = _NO_FILE if texts else _REQUIRED
    if faults:
        raise Invalid("The form is not valid.", faults)
    content: bytes = found[0].stream.read()
    if len(content) > size_max:
        raise ContentTooLarge(f"Send a file of at most {size_max} bytes.")
    return content, found[0].mimetype


def fingerprint(request: Request) -> bytes:
    """Return the body without its boundary: a client generates a new boundary for each retry."""
    boundary = request.mimetype_params.get("boundary", "").encode("latin-1", "replace")
    data = request_parsing.content(request)
    return data.replace(b"--" + boundary, b"--") if boundary else data


_UNKNOWN = Fault(Code.UNKNOWN_FIELD, "The form has no such field.")
_REQUIRED = Fault(Code.REQUIRED, "Send the file in this field.")
_REPEATED = Fault(Code.REPEATED, "Send one file.")
_NO_FILE = Fault(Code.INVALID_TYPE, "Send a file: this part has no filename.")


def _parse(request: Request) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    data = request_parsing.content(request)
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=current_app.config["MAX_FORM_MEMORY_SIZE"],
        max_form_parts=current_app.config["MAX_FORM_PARTS"],
        silent=False,
    )
    try:
        _, form, files = parser.parse(
            BytesIO(data), request.mimetype, len(data), request.mimetype_params
        )
    except ValueError:
        raise Malformed("The body is not a form with the boundary of its Content-Type.") from None
    return form, files


def _in_memory(*_: Any, **__: Any) -> BytesIO:
    return BytesIO()
