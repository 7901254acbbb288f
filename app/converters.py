"""What a variable part of a URL may look like. What does not match is no route: a 404."""

from werkzeug.routing import BaseConverter


class IdConverter(BaseConverter):
    """A UUID in its canonical form (RFC 9562, 4), in either case; handed on in lower case."""

    regex = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> str:
        return value.lower()
