"""The plans of PostgreSQL for the statements of services: tests check indexes, not times."""

from collections.abc import Callable
from typing import Any

import pytest

from app import sql

KINDS = pytest.mark.parametrize("kind", ["custom", "generic"])  # of plans: see app.sql.prepared


def plan_of(ask: Callable[[], object], kind: str = "custom") -> dict[str, Any]:
    """Return the plan of the one statement that `ask` sends, by EXPLAIN (ANALYZE, BUFFERS)."""
    link, sent = sql.request_connection(), []
    execute = link.execute

    def remember(*given: Any) -> Any:
        sent.append(given)
        return execute(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(link, "execute", remember)
        ask()
    ((statement, params, prepared),) = sent
    execute(f"SET plan_cache_mode = force_{kind}_plan").close()
    assert prepared or kind == "custom"  # unprepared statements have custom plans alone
    called = prepared.call if prepared else statement
    explained = execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {called}", params)
    found: dict[str, Any] = explained.fetchone()[0][0]["Plan"]
    execute("RESET plan_cache_mode").close()
    return found


def blocks(plan: dict[str, Any]) -> int:
    """Return the number of blocks that the plan touched, in memory or on disk."""
    touched: int = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return touched
