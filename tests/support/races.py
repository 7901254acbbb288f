"""Concurrent calls, each in its own thread."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from flask import Flask

from app.errors import AppError

T = TypeVar("T")
Call = Callable[[], Any]


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Start all calls together, and return their results in order. Raises the first error."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def race(app: Flask, calls: Sequence[Call]) -> list[Any]:
    """Return each call's result or AppError. Raises any other error."""

    def within(call: Call) -> Call:
        def run() -> Any:
            with app.app_context():
                try:
                    return call()
                except AppError as error:
                    return error

        return run

    return at_once([within(call) for call in calls])


def split(results: list[Any], *expected: type[AppError]) -> tuple[list[Any], list[AppError]]:
    """Return the successes and the failures. Asserts the `expected` kinds of failures."""
    lost = [result for result in results if isinstance(result, AppError)]
    assert {type(error) for error in lost} <= set(expected), lost
    return [result for result in results if not isinstance(result, AppError)], lost
