"""A tolerant CSV reader: rows of a table whose header names the columns.

It accepts comma, semicolon and tab as delimiter, also declared by a line `sep=;` before the header;
spaces and any case in the header; blank rows; and rows that lack trailing cells.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator

from app.errors import InvalidLines
from app.faults import Code, Fault
from app.schemas.file_text import FAULTS_MAX, fault, unreadable
from app.schemas.strict_json import step

NAME_MAX = 80  # characters of an unknown column's name in an error
DELIMITERS = ",;\t"
_SEPARATOR = re.compile(r'"?sep=([,;|\t])"?[\r\n]*', re.IGNORECASE)
_UNKNOWN = Fault(Code.UNKNOWN_FIELD, "There is no such column.")
_REPEATED = Fault(Code.REPEATED, "The column is there more than once.")
_REQUIRED = Fault(Code.REQUIRED, "The column is missing.")
Row = tuple[int, list[str]]  # the row's first line, from 1, and its cells


def rows(text: str, columns: Collection[str], required: str) -> tuple[list[str], Iterator[Row]]:
    """Return the names of the header ("" for a column without a name) and the rows below it.

    Blank rows are skipped. Every other row has as many cells as the header, or more if the extra
    cells are not blank. Raises InvalidLines, here for the header and in the iterator for a row.
    """
    lines = io.StringIO(text, newline="")
    first = lines.readline()
    named = _SEPARATOR.fullmatch(first)
    if named is None:
        lines.seek(0)
    found = _read(lines, named[1] if named else _delimiter(text, columns), 1 if named else 0)
    line, header = next(found, (1, []))
    names = [name.strip().lower() for name in header]
    _check_header(line, names, columns, required)
    return names, (_fit(row, len(names)) for row in found)


def _delimiter(text: str, columns: Collection[str]) -> str:
    """Return the delimiter that gives the header the most known names."""
    header = text.lstrip("\r\n").partition("\n")[0]

    def known(delimiter: str) -> int:
        names = [name.strip(' "').lower() for name in header.split(delimiter)]
        return sum(name in columns for name in names)

    return max(DELIMITERS, key=known)


def _read(lines: io.StringIO, delimiter: str, before: int) -> Iterator[Row]:
    """Yield the rows that are not blank; `before` is the number of lines already read."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    last = before
    try:
        for cells in reader:
            line, last = last + 1, reader.line_num + before
            if any(map(str.strip, cells)):
                yield line, cells
    except csv.Error as error:
        raise unreadable(f"This is not CSV: {error}.", reader.line_num + before) from None


def _fit(row: Row, number: int) -> Row:
    """Return the row with `number` cells, or more if the extra cells are not blank."""
    line, cells = row
    if len(cells) == number:
        return row
    while len(cells) > number and not cells[-1].strip():
        cells.pop()
    return line, cells + [""] * (number - len(cells))


def _check_header(line: int, names: list[str], columns: Collection[str], required: str) -> None:
    counted = Counter(name for name in names if name)
    unknown = [name for name in counted if name not in columns]
    doubled = [name for name in counted if counted[name] > 1]
    faults = [fault(line, step(name[:NAME_MAX]), _UNKNOWN) for name in unknown]
    faults += [fault(line, step(name[:NAME_MAX]), _REPEATED) for name in doubled]
    if required not in names:
        faults.append(fault(line, required, _REQUIRED))
    if faults:
        why = f"The header is not valid. Required: {required}. Allowed: {', '.join(columns)}."
        raise InvalidLines(why, faults[:FAULTS_MAX])
