"""Functions of resources that other rooms call: one line for each function.

Only this module knows who is called. Everything that is data follows from RESOURCES instead
(app/models/registry.py).
"""

from collections.abc import Callable, Mapping

from app.services.shared.actor import Actor
from app.services.tasks import handover, search

# Called in the transaction that deletes an account, before its row goes: the actor, the user's id.
BEFORE_ACCOUNT_DELETION: tuple[Callable[[Actor, str], None], ...] = (handover.of_leaving,)
# Called by the worker every few seconds, with the end of its log line. Returns a number of records.
CATCH_UP: Mapping[str, Callable[[], int]] = {"tasks indexed for search": search.catch_up}
