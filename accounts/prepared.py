"""Querysets whose SQL is built once.

Django builds the SQL of a queryset anew each time it is asked. Where what somebody may see is part
of the question, that costs a core one to three milliseconds, and the database answers in a tenth of
it. A function that is `prepared` makes its queryset once; what it is given then are parameters:

    @prepared("room", "user")
    def _visible(room: int, user: int, order: str) -> QuerySet[Message]:
        return Message.objects.visible_to(User(pk=user)).filter(room=room).order_by(order)[:50]

    rows = _visible(room=5, user=7, order="-pk")

It leans on how Django's own querysets ask their compiler (`get_compiler`, `as_sql`).
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, wraps
from itertools import count
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

P = ParamSpec("P")
T = TypeVar("T")

LARGEST = 2**63 - 1
"""Of what a column holds."""

LONGEST = 4_096
"""Values of a slot for which SQL is kept; SQLite takes 32,766 parameters in all."""

Value = int | datetime | UUID | str
Ask = Callable[..., QuerySet[Any, Any]]
Place = tuple[str, int]
"""Of a parameter: the slot it is of, and which of its values."""


def prepared(*slots: str) -> Callable[[Callable[P, QuerySet[Any, T]]], Callable[P, list[T]]]:
    """Have a function that makes a queryset return its rows, by SQL that is built once.

    Of its arguments `slots` are what may be another each time: a value (a number, a moment, a
    UUID, a text), or a collection of such that one is to be among; never None. For each choice of
    the others there is SQL of its own, so there must be few. A slot is for the SQL alone to look
    at: the function must not decide by one. TypeError is raised at the first use where one is
    reckoned with or ends a slice, where the function looks at the clock, and where the queryset is
    more than one statement.
    """

    def decorate(ask: Callable[P, QuerySet[Any, T]]) -> Callable[P, list[T]]:
        signature = inspect.signature(ask)
        plans: dict[Hashable, _Plan] = {}

        @wraps(ask)
        def rows(*args: P.args, **kwargs: P.kwargs) -> list[T]:
            given: dict[str, Any] = dict(kwargs)
            if args:
                given = signature.bind(*args, **kwargs).arguments
            values = {name: _values(given.pop(name)) for name in slots}
            if not all(map(_is_usual, values.values())):
                return list(ask(*args, **kwargs))
            choice = (*map(len, values.values()), *given.items())
            plan = plans.get(choice)
            if plan is None:
                plan = plans[choice] = _plan(ask, values, given)
            return plan.rows(values)

        return rows

    return decorate


def first(rows: Sequence[T]) -> T | None:
    return rows[0] if rows else None


def reread(one: Model, rows: Sequence[Model]) -> None:
    """Have it be as the one row of these is: what `refresh_from_db` does, by a prepared question.

    Raises its DoesNotExist where there is no row.
    """
    now = first(rows)
    if now is None:
        raise type(one).DoesNotExist  # type: ignore[attr-defined]
    for field in one._meta.concrete_fields:
        setattr(one, field.attname, getattr(now, field.attname))
    one._state.fields_cache = now._state.fields_cache
    vars(one).pop("_prefetched_objects_cache", None)


class _One(tuple[Value]):
    """The value of a slot that has one."""


def _values(slot: Value | Collection[Value]) -> Sequence[Value]:
    """Of several as many as the next power of two: the last of them is said again. So there is SQL
    for a few lengths alone. Of very many no more than there are.
    """
    if isinstance(slot, Value):
        return _One([slot])
    values = list(slot)
    if len(values) > LONGEST:
        return values
    return values + values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values))


def _is_usual(values: Sequence[Value]) -> bool:
    """For none at all, very many, and numbers that no column holds, Django makes SQL of its own."""
    return 0 < len(values) <= LONGEST and all(
        not isinstance(value, int) or -LARGEST < value < LARGEST for value in values
    )


def _plan(ask: Ask, values: Mapping[str, Sequence[Value]], given: Mapping[str, Any]) -> _Plan:
    """Built twice, with other stand-ins: the SQL must be the same, and only they may differ."""
    numbers = count(2**61, 7919)
    one, another = (_built(ask, values, given, numbers) for _ in range(2))
    differing = [ours != theirs for ours, theirs in zip(one.params, another.params, strict=False)]
    if (one.sql, one.places) != (another.sql, another.places) or differing != [
        place is not None for place in one.places
    ]:
        raise TypeError(f"{ask.__qualname__}: more than its slots differs from use to use.")
    queryset: Any = one.queryset
    if queryset._prefetch_related_lookups or queryset._known_related_objects:
        raise TypeError(f"{ask.__qualname__}: it is more than one statement.")
    return one


def _built(
    ask: Ask,
    values: Mapping[str, Sequence[Value]],
    given: Mapping[str, Any],
    numbers: Iterator[int],
) -> _Plan:
    slots: dict[str, Any] = {}
    places: dict[Any, Place] = {}
    for name, some in values.items():
        stand_ins = [_stand_in(value, next(numbers)) for value in some]
        places |= {_parameter(value): (name, n) for n, value in enumerate(stand_ins)}
        slots[name] = stand_ins[0] if isinstance(some, _One) else stand_ins
    queryset = ask(**slots, **given)
    compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
    sql, params = compiler.as_sql()
    known = tuple(places.get(value) if isinstance(value, Hashable) else None for value in params)
    return _Plan(queryset, compiler, sql, tuple(params), known)


def _stand_in(value: Value, number: int) -> Value:
    """Of the same kind, and such that nothing else in a queryset is it."""
    if isinstance(value, datetime):
        return datetime(1, 2, 3, tzinfo=UTC) + timedelta(seconds=number % 2**36)
    if isinstance(value, str):
        return f"stand-in {number}"
    return UUID(int=number) if isinstance(value, UUID) else number


def _parameter(value: Value) -> Any:
    """As fields have it in SQL."""
    if isinstance(value, int):
        return value
    connection = connections[DEFAULT_DB_ALIAS]
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value


@dataclass(frozen=True)
class _Plan:
    """A queryset, what it became, and which of its parameters are of slots (the others: None)."""

    queryset: QuerySet[Any, Any]
    compiler: SQLCompiler
    sql: str
    params: tuple[Any, ...]
    places: tuple[Place | None, ...]

    @cached_property
    def converters(self) -> dict[int, Any]:
        """What makes Python's values of the database's, by column: a third of what asking took."""
        compiler = self.compiler
        return compiler.get_converters([column for column, *_ in compiler.select])

    def rows(self, values: Mapping[str, Sequence[Value]]) -> list[Any]:
        params = tuple(
            param if place is None else _parameter(values[place[0]][place[1]])
            for param, place in zip(self.params, self.places, strict=True)
        )
        known: Any = self.queryset
        asking = type(known)(known.model, _Query(self, params), known._db)
        asking._iterable_class, asking._fields = known._iterable_class, known._fields
        return list(asking)


class _Query:
    """In place of a queryset's own: has the plan's compiler ask, with these parameters."""

    def __init__(self, plan: _Plan, params: tuple[Any, ...]) -> None:
        self._plan, self._params = plan, params

    def get_compiler(self, using: str, *_: Any) -> SQLCompiler:
        compiler = copy.copy(self._plan.compiler)
        compiler.connection = connections[using]
        if self.select_for_update and compiler.connection.get_autocommit():
            raise TransactionManagementError("Rows are locked within a transaction.")
        built = self._plan.sql, self._params
        compiler.as_sql = lambda *_args, **_kwargs: built  # type: ignore[method-assign]
        converters = self._plan.converters
        compiler.get_converters = lambda _: converters  # type: ignore[assignment,method-assign]
        return compiler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan.queryset.query, name)
