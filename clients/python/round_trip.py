"""A task is created, found, changed, protected from a stale change, and deleted.

mypy checks this program against the generated package.
"""

import os

from tasks_client import AuthenticatedClient
from tasks_client.api.tasks import create_task, delete_task, get_task, list_tasks, update_task
from tasks_client.models import Problem, Task, TaskIn, TaskInPartial, TaskInPartialStatus


def main(client: AuthenticatedClient) -> None:
    body = TaskIn(title="Pick plums", labels=["garden"])
    created = create_task.sync(client=client, body=body, idempotency_key="pick-plums")
    assert isinstance(created, Task), created
    page = list_tasks.sync(client=client, label=["garden"])
    assert page is not None
    assert not isinstance(page, Problem), page
    assert [task.id for task in page.items] == [created.id]

    done = TaskInPartial(status=TaskInPartialStatus.DONE)
    etag = f'"{created.version}"'
    changed = update_task.sync(created.id, client=client, body=done, if_match=etag)
    assert isinstance(changed, Task), changed
    assert changed.version == created.version + 1
    stale = update_task.sync(created.id, client=client, body=done, if_match=etag)
    assert isinstance(stale, Problem), stale
    assert stale.status == 412

    delete_task.sync(created.id, client=client)
    gone = get_task.sync(created.id, client=client)
    assert isinstance(gone, Problem), gone
    assert gone.status == 404


if __name__ == "__main__":
    with AuthenticatedClient(os.environ["API"], os.environ["TOKEN"]) as connected:
        main(connected)
