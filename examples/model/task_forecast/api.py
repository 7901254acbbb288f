"""GET /api/v1/tasks/{task_id}/forecast."""

from typing import Any, ClassVar

from flask import Blueprint
from marshmallow import Schema, fields, validate

from app.api.http.operation import operation
from app.api.openapi.examples import ID, MOMENT
from app.errors import Conflict, NotFound
from app.schemas.fields import Identifier, Moment, Text
from app.services.shared.actor import Actor
from task_forecast import forecasts
from task_forecast.forecasts import Forecast

bp = Blueprint("task_forecast", __name__)
_tasks = Blueprint("tasks", __name__, url_prefix="/tasks")


def _until(chance: int) -> Moment:
    description = f"Done by then with a chance of {chance} %; null beyond what was observed."
    return Moment(required=True, allow_none=True, metadata={"description": description})


class ForecastOut(Schema):
    task_id = Identifier(required=True)
    model = Text(required=True, metadata={"description": "The version of the model."})
    trained_at = Moment(required=True)
    learned_from = fields.Integer(required=True, metadata={"description": "Number of tasks."})
    early = _until(10)
    middle = _until(50)
    late = _until(90)
    chance_by_due = fields.Float(required=True, allow_none=True, validate=validate.Range(0, 1))
    example: ClassVar[dict[str, Any]] = {
        "task_id": ID,
        "model": "20260131T120000Z-5e0b1c9d",
        "trained_at": MOMENT,
        "learned_from": 120,
        "early": MOMENT,
        "middle": MOMENT,
        "late": None,
        "chance_by_due": 0.75,
    }


@_tasks.get("/<id:task_id>/forecast")
@operation(
    id="getTaskForecast",
    summary="Forecast when a task will be done",
    scopes=("tasks:read",),
    returns=ForecastOut(),
    errors=(NotFound, Conflict),
)
def show(actor: Actor, task_id: str) -> Forecast:
    """Answers 409 for a task that is not open, and as long as no model is trained."""
    return forecasts.of_task(actor, task_id)


bp.register_blueprint(_tasks)
