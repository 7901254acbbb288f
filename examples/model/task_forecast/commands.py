"""`flask train-forecast`: a new version of the model, with a backtest that says how good it is."""

import click
from flask.cli import with_appcontext

from app.cli.base import Command
from app.models.types import now
from task_forecast import training, versions
from task_forecast.training import ALL, DONE_MIN


@click.command("train-forecast", cls=Command)
@with_appcontext
def train_forecast() -> None:
    """Learn from all tasks when tasks are done, and serve the new model from now on."""
    moment, lives = now(), training.history()
    curves = training.curves(lives, moment)
    if curves[ALL].done < DONE_MIN:
        raise click.ClickException(f"At least {DONE_MIN} tasks must be done to learn from.")
    model = versions.save(curves, moment)
    for name, curve in curves.items():
        half = curve.days_until(0, 0.5)
        days = "not reached" if half is None else f"{half:.1f} days"
        click.echo(f"{name:<8} {curve.done:>4} of {curve.tasks:>4} done, half of them after {days}")
    past = training.backtest(lives, moment)
    click.echo(
        f"Backtest: of {past.tasks} tasks open on {past.cut:%Y-%m-%d} the model expects"
        f" {past.expected:.0f} done by now; {past.done} are."
    )
    click.echo(f"Version {model.version}")
