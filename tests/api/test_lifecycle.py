"""A deprecated operation announces its end in answers and in the OpenAPI document."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Flask

from app.api.http.deprecation import Deprecation
from app.api.http.operation import operation
from app.api.openapi import document as openapi
from app.schemas.fields import Strict, Text
from tests.conftest import MakeApp
from tests.support.clients import Api

END = Deprecation(
    since=datetime(2026, 1, 1, tzinfo=UTC),
    sunset=datetime(2027, 1, 1, tzinfo=UTC),
    link="https://example.org/instead",
)


class Said(Strict):
    word = Text(required=True)


def with_old_operation(make_app: MakeApp) -> Flask:
    app = make_app()
    bp = Blueprint("old", __name__, url_prefix="/old")

    @bp.get("")
    @operation(id="getOld", summary="An old one", scopes=None, returns=Said(), deprecated=END)
    def old(_origin: Any) -> Any:
        return Word("still here")

    outer = Blueprint("later", __name__, url_prefix="/api/v1")
    outer.register_blueprint(bp)
    app.register_blueprint(outer)
    return app


class Word:
    def __init__(self, word: str) -> None:
        self.word = word


def test_the_answer_says_since_when_until_when_and_what_instead(other_app: MakeApp) -> None:
    answer = Api(with_old_operation(other_app)).get("/old")
    assert answer.json == {"word": "still here"}
    assert answer.headers["Deprecation"] == "@1767225600"
    assert answer.headers["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert answer.headers["Link"] == '<https://example.org/instead>; rel="deprecation"'


def test_the_document_marks_it(other_app: MakeApp) -> None:
    app = with_old_operation(other_app)
    with app.app_context():
        document = openapi.build(app)
    assert document["paths"]["/api/v1/old"]["get"]["deprecated"] is True
    assert "deprecated" not in document["paths"]["/api/v1/tasks"]["get"]
