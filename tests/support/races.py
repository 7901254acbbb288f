"""Calls that are made at once, each in a thread of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from flask import Flask

from app.errors import AppError

T = TypeVar("T")
Call = Callable[[], Any]


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """What each returns, in their order; all start together. Raises what the first one raises."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def race(app: Flask, calls: Sequence[Call]) -> list[Any]:
    """What each call returned, or the AppError that it raised; another error is raised here."""

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
    """The successes and the failures, which are of the `expected` kinds."""
    lost = [result for result in results if isinstance(result, AppError)]
    assert {type(error) for error in lost} <= set(expected), lost
    return [result for result in results if not isinstance(result, AppError)], lost
