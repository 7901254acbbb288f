"""The rules for every text of a client: one normal form, and no characters that hide text.

Schemas, forms, imports and commands call these functions, so that equal text is equal everywhere.
Passwords have their own rules (app.services.users.passwords).
"""

import re
from itertools import groupby
from unicodedata import combining, normalize

from app.errors import Invalid
from app.faults import Code, Fault, length_code

# Character classes with the same meaning in Python and ECMAScript, for the OpenAPI document.
BLANKS = r"\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROLS = r"\u0000-\u001f\u007f-\u009f"
_UNSUITABLE = _CONTROLS + r"\u2028\u2029"  # control characters and line breaks
_OVERRIDES = r"\u202a-\u202e"  # the embeddings and overrides of UAX #9, not isolates and marks
# Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties.txt), and the Braille blank.
_UNSEEN = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\u2800"
)
# Not in the OpenAPI document: their meaning in ECMAScript depends on flags.
_UNSEEN_ASTRAL = "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"

LINE_PATTERN = (
    f"^[{BLANKS}]*[^{_UNSUITABLE}{_OVERRIDES}]*"
    f"[^{BLANKS}{_CONTROLS}{_OVERRIDES}{_UNSEEN}]"
    f"[^{_UNSUITABLE}{_OVERRIDES}]*[{BLANKS}]*$"
)
LONG_PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"

_unsuitable = re.compile(f"[{_UNSUITABLE}\ud800-\udfff]")
_override = re.compile(f"[{_OVERRIDES}]")
_visible = re.compile(f"[^{BLANKS}{_UNSEEN}{_UNSEEN_ASTRAL}]")
_control = re.compile(r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ud800-\udfff]")
# Longer runs of combining marks are sorted here: unicodedata needs quadratic time for them.
_STACKED = re.compile(r"[^\w\s\x00-\x7f]{31,}")
# The characters of class 0 and 230 that decompose into marks of several classes.
_COMPOUND_MARKS = {mark: normalize("NFD", chr(mark)) for mark in (0x0344, 0x0F73, 0x0F75, 0x0F81)}


def normal(text: str) -> str:
    """Return the text in Normalization Form C (UAX #15), in linear time."""
    if text.isascii():
        return text
    return normalize("NFC", _STACKED.sub(_sort_marks, text))


def line(text: str) -> str:
    """Return a text of one line (title, label, name), normalized and trimmed.

    Raises ValueError of a Fault for a control character, a line break, a bidirectional override,
    or only invisible characters. An empty text passes: callers check the length.
    """
    text = normal(text).strip()
    if text.isascii() and text.isprintable():
        return text
    if _unsuitable.search(text):
        raise _stray("Remove control characters and line breaks.")
    if _override.search(text):
        raise _stray("Remove the characters that override the direction of text.")
    if text and not _visible.search(text):
        raise ValueError(Fault(Code.TOO_SHORT, "Use at least one character that can be seen."))
    return text


def name(text: str, longest: int) -> str:
    """Return the name of a token or a passkey: a line of 1 to `longest` characters.

    Raises Invalid for the field `name`.
    """
    try:
        given = line(text)
    except ValueError as error:
        raise Invalid("This name cannot be used.", {"name": error.args[0]}) from None
    if not 1 <= len(given) <= longest:
        fault = Fault(length_code(len(given), 1), f"Use 1 to {longest} characters.")
        raise Invalid("This name cannot be used.", {"name": fault})
    return given


def long(text: str) -> str:
    """Return a text of any number of lines (a description), normalized.

    Raises ValueError of a Fault for a control character that is neither a tab nor a line break.
    """
    if _control.search(text):
        raise _stray("Remove control characters: tabs and line breaks may stay.")
    return normal(text)


def _stray(why: str) -> ValueError:
    return ValueError(Fault(Code.INVALID_CHARACTER, why))


def _sort_marks(found: re.Match[str]) -> str:
    """Return a long run of combining marks in canonical order (Unicode 3.11, D108)."""
    rows = groupby(found[0].translate(_COMPOUND_MARKS), lambda mark: combining(mark) > 0)
    return "".join("".join(sorted(row, key=combining) if marks else row) for marks, row in rows)
