"""The filters of a list, declared by column; a statement is built once for each combination.

A filter makes its condition from the number of its values, so that lists of equal length share a
statement, and binds the values under its own name.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam

Shape = tuple[tuple[str, int], ...]  # the name of each filter and the number of its values


@dataclass(frozen=True)
class Filter:
    """Rows with any of the values in the column; None matches rows without a value.

    `sizes` are the lengths of a list in a statement: a shorter list repeats its last value.
    """

    column: Any
    sizes: tuple[int, ...] = ()

    def condition(self, name: str, size: int) -> ColumnElement[bool]:
        binds = [bindparam(f"any_{name}_{place}", type_=self.column.type) for place in range(size)]
        clause: ColumnElement[bool] = self.column.in_(binds) if size else self.column.is_(None)
        return clause

    def parameters(self, name: str, wanted: Any) -> tuple[int, dict[str, Any]]:
        """Return the number of values in `wanted`, and the bind parameters."""
        if wanted is None:
            return 0, {}
        listed = sorted(set(wanted)) if isinstance(wanted, list) else [wanted]
        if self.sizes and listed:
            size = next(size for size in self.sizes if size >= len(listed))
            listed += listed[-1:] * (size - len(listed))
        return len(listed), {f"any_{name}_{place}": value for place, value in enumerate(listed)}


@dataclass(frozen=True)
class Compared(Filter):
    """Rows whose column compares so with the one value."""

    compare: Callable[[Any, Any], Any] = operator.eq

    def condition(self, name: str, size: int) -> ColumnElement[bool]:  # noqa: ARG002
        clause: ColumnElement[bool] = self.compare(
            self.column, bindparam(name, type_=self.column.type)
        )
        return clause

    def parameters(self, name: str, wanted: Any) -> tuple[int, dict[str, Any]]:
        return 1, {name: wanted}


def before(column: Any) -> Filter:
    """Return the filter of the rows whose column is less than the value."""
    return Compared(column, compare=operator.lt)


def until(column: Any) -> Filter:
    """Return the filter of the rows whose column is the value or less."""
    return Compared(column, compare=operator.le)


def after(column: Any) -> Filter:
    """Return the filter of the rows whose column is the value or more."""
    return Compared(column, compare=operator.ge)


def conditions(declared: Mapping[str, Filter], shape: Shape) -> list[ColumnElement[bool]]:
    """Return the condition of each filter in `shape`."""
    return [declared[name].condition(name, size) for name, size in shape]


def parameters(
    declared: Mapping[str, Filter], wanted: Mapping[str, Any]
) -> tuple[Shape, dict[str, Any]]:
    """Return the shape and the bind parameters of the values in `wanted`, sorted by name."""
    shape: list[tuple[str, int]] = []
    bound: dict[str, Any] = {}
    for name in sorted(wanted):
        size, values = declared[name].parameters(name, wanted[name])
        shape.append((name, size))
        bound.update(values)
    return tuple(shape), bound
