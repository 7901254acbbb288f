"""The records of a resource: read, create, change and delete, by its declarations.

The table has the columns `id`, `created_at`, `updated_at`, `version`, a key to the owner (the first
of the resource's `person`), and `deleted_at` if deleted records go to a trash. Its persons and
admins see and change a record, the owner and admins delete it.

Each change is one transaction with its audit event, where the resource declares the action, and
with the call of `tell`. A service that does more calls a method in an atomic function of its own.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    delete as delete_,
    insert,
    or_,
    select,
    true,
    update as update_,
)

from app.errors import Conflict, Forbidden
from app.faults import Code, Fault
from app.models import User
from app.models.base import table_of
from app.models.resource import Resource
from app.models.types import SEALED, now, uuid7
from app.services.shared import audit
from app.services.shared.actor import Actor
from app.services.shared.existence import require_found
from app.services.shared.filters import Filter
from app.services.shared.holder_records import HolderRecord
from app.services.shared.paging import FIRST_PAGE, Page, PageRequest
from app.services.shared.preconditions import Expect, check
from app.services.shared.record_pages import Pages
from app.sql import ROW_KEY, Statement, UniqueViolation, atomic, row_type

T = TypeVar("T")
Values = dict[str, Any]
# Called in the transaction of a change: the actor, the action, the record, the record before.
Tell = Callable[[Actor, str, Any, Any], None]
_ACTOR: BindParameter[Any] = bindparam("actor_id")


class Records(Generic[T]):
    """The records of one resource. Rows are typed as its model.

    `sorts` and `filters` are named as in the API. `taken` holds, for each field of a unique index
    whose name ends with the field, the sentence of the conflict. `derive` returns the values of a
    change with those that follow from them; the record before is None for a new one. Unless
    `for_admins`, an admin changes own records only.
    """

    def __init__(
        self,
        resource: Resource,
        *,
        sorts: Mapping[str, ColumnElement[Any]],
        filters: Mapping[str, Filter] | None = None,
        taken: Mapping[str, str] | None = None,
        derive: Callable[[Values, T | None], Values] = lambda values, _before: values,
        tell: Tell | None = None,
        for_admins: bool = True,
    ) -> None:
        self.resource, self.taken, self.derive, self.tell = resource, taken or {}, derive, tell
        self.for_admins = for_admins
        self.orders = (*sorts, *(f"-{name}" for name in sorts))  # the values of `sort` in `page`
        table = self.table = table_of(resource.model)
        persons = [table.c[person.key] for person in resource.person]
        self.owner, self.has_trash = persons[0], "deleted_at" in table.c
        self._row, by_id = row_type(list(table.c)), table.c.id == ROW_KEY
        live = table.c.deleted_at.is_(None) if self.has_trash else true()
        own, owned = or_(*(person == _ACTOR for person in persons)), self.owner == _ACTOR
        seen = select(*table.c).where(by_id, or_(own, bindparam("everyone")))
        self._sealed = {column.key for column in table.c if column.info == SEALED}
        self._get = Statement[T](seen.where(live), prepared=True)
        self._lock = Statement[T](seen.where(live).with_for_update(), prepared=True)
        self._lock_trashed = Statement[T](seen.where(~live).with_for_update())
        self._insert = Statement[T](insert(table), prepared=True)
        self._delete = Statement[T](delete_(table).where(by_id))
        self._stored = [column.key for column in table.c if column.key not in ("id", "created_at")]
        new = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in self._stored}
        self._update = Statement[T](update_(table).where(by_id).values(new), prepared=True)
        among = {"own": and_(live, own), "all": live}
        trash = {"own trash": and_(~live, owned), "all trash": ~live}
        self._pages = Pages(table, {**among, **trash}, sorts, filters or {})
        same_id = table.c.id == bindparam(f"{resource.name}_id")
        holder = or_(*(person == User.id for person in persons))
        self.of_holder = HolderRecord(list(table.c), and_(same_id, live, holder))

    def get(self, actor: Actor, record_id: str) -> T:
        """Return the record. Raises NotFound, also for a record that the actor may not see."""
        return self._found(self._get, actor, record_id)

    def lock(self, actor: Actor, record_id: str) -> T:
        """Return the record like `get`, locked until the commit."""
        return self._found(self._lock, actor, record_id)

    def page(
        self,
        actor: Actor,
        request: PageRequest = FIRST_PAGE,
        *,
        filters: Mapping[str, Any] | None = None,
        sort: str = "-created_at",
        everyone: bool = False,
        trashed: bool = False,
    ) -> Page[T]:
        """Return the actor's records that match all filters, or the owner's from the trash.

        `sort` descends with "-" before it. `everyone` is for admins.
        """
        if everyone:
            actor.require_admin()
        among = f"{'all' if everyone else 'own'}{' trash' if trashed else ''}"
        return self._pages.read(among, request, filters or {}, sort, actor_id=actor.id)

    def create(self, actor: Actor, values: Values) -> T:
        """Create a record of the actor. Raises Conflict for a value that is taken."""
        with self._refusing_taken():
            return self._create(actor, values)

    @atomic
    def _create(self, actor: Actor, values: Values) -> T:
        moment = now()
        made = {"id": uuid7(), "created_at": moment, "updated_at": moment, "version": 1}
        defaults = {column.key: _default(column) for column in self.table.c}
        given = {self.owner.key: actor.id, **self.derive(values, None)}
        row: T = self._row(**{**defaults, **given, **made})
        self._insert.run(**cast(Any, row)._asdict())
        self._record(actor, "created", row, None, {name: [None, values[name]] for name in values})
        return row

    def update(self, actor: Actor, record_id: str, changes: Values, expect: Expect = None) -> T:
        """Change the fields in `changes`. Raises NotFound, PreconditionFailed, Conflict."""
        with self._refusing_taken():
            return self._change(actor, record_id, changes, expect)

    @atomic
    def _change(self, actor: Actor, record_id: str, changes: Values, expect: Expect) -> T:
        record = self.lock(actor, record_id)
        check(expect, cast(Any, record).version)
        news = {name: value for name, value in changes.items() if value != getattr(record, name)}
        return self._write(actor, "updated", record, news) if news else record

    @atomic
    def delete(self, actor: Actor, record_id: str, expect: Expect = None) -> None:
        """Delete the record, or move it to the trash.

        Raises NotFound, Forbidden, PreconditionFailed.
        """
        record = self.lock(actor, record_id)
        if not self.owns(actor, record):
            raise Forbidden(f"Only the owner of a {self.resource.name} may delete it.")
        check(expect, cast(Any, record).version)
        if self.has_trash:
            self._write(actor, "deleted", record, {}, deleted_at=now())
        else:
            self._delete.run(key=record_id)
            gone = {name: [getattr(record, name), None] for name in self.resource.words}
            self._record(actor, "deleted", record, None, gone)

    @atomic
    def restore(self, actor: Actor, record_id: str, expect: Expect = None) -> T:
        """Restore the record from the trash, or return it unchanged.

        Raises NotFound, PreconditionFailed.
        """
        record = self._lock_trashed.one(key=record_id, **self._sees(actor))
        if record is None or not self.owns(actor, record):
            return self.get(actor, record_id)
        check(expect, cast(Any, record).version)
        return self._write(actor, "restored", record, {}, deleted_at=None)

    def owns(self, actor: Actor, record: T) -> bool:
        """Return True if the actor may delete the record."""
        is_owner: bool = getattr(record, self.owner.key) == actor.id
        return is_owner or (actor.is_admin and self.for_admins)

    def _write(self, actor: Actor, verb: str, before: T, news: Values, **kept: Any) -> T:
        derived = self.derive(news, before) if news else {}
        row = cast(Any, before)
        made = {"updated_at": now(), "version": row.version + 1}
        changed: T = row._replace(**{**derived, **made, **kept})
        stored = {f"new_{name}": getattr(changed, name) for name in self._stored}
        self._update.run(key=row.id, **stored)
        changes = {name: [getattr(before, name), value] for name, value in news.items()}
        self._record(actor, verb, changed, before, changes)
        return changed

    def _record(
        self, actor: Actor, verb: str, record: T, before: T | None, changes: audit.Changes
    ) -> None:
        action = f"{self.resource.name}.{verb}"
        if action in self.resource.actions:
            shown = {name: pair for name, pair in changes.items() if name not in self._sealed}
            audit.record(actor, action, cast(Any, record).id, shown)
        if self.tell is not None:
            self.tell(actor, action, record, before)

    def _found(self, statement: Statement[T], actor: Actor, record_id: str) -> T:
        row = statement.one(key=record_id, **self._sees(actor))
        return require_found(row, self.resource.name)

    def _sees(self, actor: Actor) -> Values:
        return {"actor_id": actor.id, "everyone": actor.is_admin and self.for_admins}

    @contextmanager
    def _refusing_taken(self) -> Iterator[None]:
        """Turn a violated unique index into a Conflict that names the field."""
        try:
            yield
        except UniqueViolation as error:
            for field, why in self.taken.items():
                if error.index.endswith(field):
                    raise Conflict(why, {field: Fault(Code.TAKEN, why)}) from error
            raise


def _default(column: Any) -> Any:
    """Return the value of a column that nobody has set."""
    default = column.default
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg
