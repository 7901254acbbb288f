# %% [markdown]
# # Weekly throughput and lead time
# The cells sign in, stream the export of all visible tasks and draw two charts. The file is a
# plain Python program and, by its `# %%` marks, a notebook in Jupyter, VS Code and PyCharm.

# %%
"""Weekly throughput and lead time, from the export of the tasks."""

import json
import os
from collections.abc import Iterator

import httpx
import matplotlib.pyplot as plt
import pandas as pd

API = os.environ.get("API", "http://127.0.0.1:8000/api/v1")
MOMENTS = ["created_at", "completed_at", "due_at"]


# %%
def sign_in(client: httpx.Client, identifier: str, password: str) -> None:
    """Give the client the access token of a user. Raises httpx.HTTPStatusError."""
    answer = client.post("/auth/login", json={"identifier": identifier, "password": password})
    token = answer.raise_for_status().json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"


def exported(client: httpx.Client) -> Iterator[dict[str, object]]:
    """Yield the tasks line by line, as the service sends them."""
    with client.stream("GET", "/tasks/export", params={"format": "ndjson"}) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            yield json.loads(line)


# %%
def weekly(tasks: pd.DataFrame) -> pd.DataFrame:
    """Return, by the Monday of each week, the tasks done and quantiles of their lead time in days.

    Lead time is the time from the creation of a task to its completion.
    """
    done = tasks.dropna(subset=["completed_at"])
    lead = (done["completed_at"] - done["created_at"]).dt.total_seconds() / 86_400
    by_week = lead.groupby(
        done["completed_at"].dt.tz_localize(None).dt.to_period("W").dt.start_time
    )
    figures = by_week.agg(done="count", median="median", p85=lambda days: days.quantile(0.85))
    return figures.rename_axis("week").asfreq("7D").fillna({"done": 0})


def draw(figures: pd.DataFrame, path: str) -> None:
    """Write both charts to an image file."""
    figure, (upper, lower) = plt.subplots(2, sharex=True, layout="constrained")
    upper.bar(figures.index, figures["done"], width=6)
    upper.set_ylabel("tasks done")
    lower.plot(figures.index, figures[["median", "p85"]], marker="o")
    lower.set_ylabel("lead time, days")
    lower.legend(["median", "85 %"])
    figure.autofmt_xdate()
    figure.savefig(path)


# %%
if __name__ == "__main__":
    with httpx.Client(base_url=API, timeout=60) as client:
        sign_in(client, os.environ["API_USER"], os.environ["API_PASSWORD"])
        tasks = pd.DataFrame(exported(client))
    tasks[MOMENTS] = tasks[MOMENTS].apply(pd.to_datetime, utc=True, format="ISO8601")
    figures = weekly(tasks)
    print(figures.round(1).to_string())
    draw(figures, os.environ.get("CHART", "throughput.png"))
