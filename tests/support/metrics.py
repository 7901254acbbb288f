"""The reader of the answer of GET /metrics."""

import re

from app.product import SLUG
from tests.support.gunicorn_server import Server

TOKEN = "a-token-of-prometheus"
CREDENTIALS = f"Authorization: Bearer {TOKEN}"
ABOUT = f'{SLUG}_http_request_duration_seconds_count{{method="GET",route="/about",status="2xx"}}'


def value(text: str, series: str) -> float:
    """Return the value of one series; 0 if missing."""
    found = re.search(f"^{re.escape(series)} (.*)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def scrape(server: Server) -> str:
    answer = server.get("/metrics", CREDENTIALS)
    assert answer.status == 200
    return answer.body.decode()
