"""A single wrong value in a request: a stable code for programs and a sentence for people."""

from enum import StrEnum


class Code(StrEnum):
    """Codes of the items of `errors` in a problem. Clients compare codes, so none is renamed."""

    REQUIRED = "required"  # the value is missing
    UNKNOWN_FIELD = "unknown_field"  # the body, the query or the file has no such field
    READ_ONLY = "read_only"  # only answers have the field
    REPEATED = "repeated"  # the parameter or column may occur once
    INVALID_TYPE = "invalid_type"  # a text in place of a number, null where null is not allowed
    TOO_SHORT = "too_short"  # too few characters or items
    TOO_LONG = "too_long"  # too many characters, items or lines
    OUT_OF_RANGE = "out_of_range"  # a number or a time beyond its limits
    NOT_A_CHOICE = "not_a_choice"  # none of the listed words
    MALFORMED = "malformed"  # the right type, but not of the right form (a date, a UUID, an email)
    INVALID_CHARACTER = "invalid_character"  # the text has a character that is not allowed
    TAKEN = "taken"  # another record has the value already
    NOT_FOUND = "not_found"  # the record does not exist, or cannot be used
    INCORRECT = "incorrect"  # a wrong password or code
    TOO_COMMON = "too_common"  # a password that attackers try first
    TOO_SIMILAR = "too_similar"  # a password that is like the username or the email address
    RESERVED = "reserved"  # a username that people cannot give themselves
    NOT_ALLOWED = "not_allowed"  # the value is well formed, but the service refuses it
    INVALID = "invalid"  # another reason, which `detail` gives


class Fault(str):
    """The sentence that describes a wrong value, with its code.

    A string, so that forms, commands and marshmallow treat a fault as any other message.
    """

    code: Code

    def __new__(cls, code: Code, detail: str) -> "Fault":
        fault = super().__new__(cls, detail)
        fault.code = code
        return fault

    def __getnewargs__(self) -> tuple[Code, str]:  # type: ignore[override]
        return self.code, str(self)  # for copies


def length_code(length: int, minimum: int) -> Code:
    """Return the code of a text or list whose length is not within its limits."""
    return Code.TOO_SHORT if length < minimum else Code.TOO_LONG
