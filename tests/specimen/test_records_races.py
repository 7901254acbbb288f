"""Changes of one record at the same time."""

from functools import partial

from flask import Flask

from app.errors import Conflict, PreconditionFailed
from app.services.shared.actor import Actor
from tests.specimen import specimens
from tests.support.races import race

CALLERS = 10


def test_of_changes_of_one_version_one_is_stored(app: Flask, ann: Actor) -> None:
    with app.app_context():
        made = specimens.create(ann, {"name": "Quartz"})
    calls = [
        partial(specimens.update, ann, made.id, {"pieces": pieces}, {1})
        for pieces in range(2, 2 + CALLERS)
    ]
    results = race(app, calls)
    (stored,) = [each for each in results if not isinstance(each, PreconditionFailed)]
    with app.app_context():
        assert specimens.get(ann, made.id) == stored
    assert stored.version == 2


def test_of_changes_of_any_version_none_is_lost(app: Flask, ann: Actor) -> None:
    with app.app_context():
        made = specimens.create(ann, {"name": "Quartz"})
    news = {"notes": "Clear.", "rank": "high", "state": "examined", "pieces": 7, "archived": True}
    race(app, [partial(specimens.update, ann, made.id, {name: news[name]}) for name in news])
    with app.app_context():
        found = specimens.get(ann, made.id)
    assert {name: getattr(found, name) for name in news} == news
    assert found.version == 1 + len(news)


def test_of_equal_names_at_once_one_is_stored(app: Flask, ann: Actor) -> None:
    results = race(app, [partial(specimens.create, ann, {"name": "Quartz"})] * CALLERS)
    refused = [each for each in results if isinstance(each, Conflict)]
    assert (len(results), len(refused)) == (CALLERS, CALLERS - 1)
    assert all(each.fields["name"].code == "taken" for each in refused)
