"""Helpers that read the lists of the admin pages, and the tasks in those lists."""

import html
import re
from typing import Any

from flask import Flask

from app.models import Task
from app.services.shared.actor import Actor
from app.services.tasks import tasks


def make(app: Flask, owner: Actor, title: str, **values: Any) -> Task:
    with app.app_context():
        return tasks.create(owner, {"title": title, **values})


def headed(page: str) -> list[str]:
    """Return the first column of the page's table."""
    cells = re.findall(r'<th[^>]* scope="row"[^>]*>(.*?)</th>', page, re.DOTALL)
    return [html.unescape(re.sub("<[^>]*>", "", cell)).strip() for cell in cells]


def flashed(page: str, word: str) -> bool:
    return any(word in line for line in re.findall(r'<p class="flash[^>]*>(.*?)</p>', page))
