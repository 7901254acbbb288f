"""What a variable part of a URL may look like. What does not match is no route: a 404."""

import re

from werkzeug.routing import BaseConverter

ID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class IdConverter(BaseConverter):
    """A UUID in its canonical form (RFC 9562, 4), in either case; handed on in lower case."""

    regex = ID

    def to_python(self, value: str) -> str:
        return value.lower()


def canonical_id(value: str) -> str | None:
    """The same for an id in a form: in lower case, or None where it is none."""
    return value.lower() if re.fullmatch(ID, value) else None
