"""Two apps in one process keep their own settings."""

import sys
from inspect import isclass
from types import ModuleType
from typing import Any

from flask import Flask

from tests.conftest import MakeApp
from tests.support.clients import Api, Browser

PLAIN = (bool, int, float, str, bytes, tuple, frozenset, type(None))
SHORT = {"username": "cat", "email": "cat@example.com", "password": "ten chars!"}
OTHERWISE = {
    "PASSWORD_MIN_LENGTH": "20",
    "PUBLIC_URL": "https://tasks.example.org",
    "REGISTRATION": "closed",
    "REQUIRE_IF_MATCH": "1",
    "REQUIRE_MFA": "all",
    "REQUIRE_ADMIN_MFA": "passkey",
    "RATELIMIT_DEFAULT": "3 per minute",
    "DATABASE_POOL_SIZE": "3",
    "WORKER_THREADS": "2",
    "MAIL_URL": "console:",
    "WEBHOOK_ALLOW_PRIVATE": "1",
    "METRICS_TOKEN": "0123456789abcdef",
    "CORS_ORIGINS": "https://app.example.org",
}


def test_shortest_password_is_of_the_app_that_is_asked(app: Flask, other_app: MakeApp) -> None:
    strict = other_app(PASSWORD_MIN_LENGTH="20")
    assert Api(strict).post("/users", SHORT).status_code == 422
    assert "Use 8 to 128 characters" in Browser(app).get("/auth/register").text
    assert "Use 20 to 128 characters" in Browser(strict).get("/auth/register").text
    assert Api(app).post("/users", SHORT).status_code == 201


def test_making_an_app_changes_no_value_of_a_module(app: Flask, other_app: MakeApp) -> None:
    """Settings are stored in the app, not in a module or a class."""
    other_app(**OTHERWISE)  # loads the modules that only some settings need
    before = dict(values())
    other_app(PASSWORD_MIN_LENGTH="30", RATELIMIT_DEFAULT="5 per hour")
    assert dict(values()) == before


def values() -> list[tuple[str, Any]]:
    """Return all plain values in the service's modules and classes, by name."""
    found = []
    for module in modules():
        holders = {module.__name__: module, **classes_of(module)}
        for holder, thing in holders.items():
            for name, value in list(vars(thing).items()):
                if isinstance(value, PLAIN) and not name.startswith("__"):
                    found.append((f"{holder}.{name}", value))
    return found


def modules() -> list[ModuleType]:
    return [one for name, one in list(sys.modules.items()) if name.split(".")[0] == "app"]


def classes_of(module: ModuleType) -> dict[str, type]:
    return {
        f"{module.__name__}.{name}": thing
        for name, thing in list(vars(module).items())
        if isclass(thing) and thing.__module__ == module.__name__
    }
