"""Messages as rows: what `bulk_create` would write, and the ids in the order they were said."""

from datetime import timedelta
from itertools import cycle
from uuid import uuid4

import pytest
from django.db import connection, models
from django.utils import timezone

from messages.inserting import AS_THEY_ARE, _columns, insert
from messages.models import Message
from tests.world import World

FIELDS = [field for field in Message._meta.concrete_fields if not field.primary_key]


def messages(world: World, count: int) -> list[Message]:
    """Unlike each other, and unlike any default, in each field. No two are of one revision."""
    head = world.team.revision + 1_000
    now = timezone.now()
    quoted = world.say(world.team, world.ben)
    kinds, states = cycle(Message.Kind), cycle([*Message.Status, "complete"])
    return [
        Message(
            room=world.team,
            author=(world.ben, world.cleo)[n % 2],
            author_role=("owner", "")[n % 2],
            client_id=(None, uuid4())[n % 2],
            request_hash=f"hash {n}",
            kind=next(kinds),
            status=next(states),
            attempt=n % 4,
            audience=("only", "everyone")[n % 2],
            to=[[], [world.cleo.pk, n]][n % 2],
            body=f"*{n}* ü 😀 '\"%s? \\ $1",
            html=f"<p>{n}</p>",
            file_names=f"{n}.txt",
            data=[{}, {"card": "x", "nested": {"ü": [n, None, 1.5]}}][n % 2],
            reply_to=(None, quoted)[n % 2],
            shared_from=(quoted, None)[n % 2],
            mentions_everyone=bool(n % 2),
            revision=head + n,
            version=1 + n % 3,
            created_at=now - timedelta(microseconds=n),
            edited_at=(None, now)[n % 2],
            deleted_at=(now, None)[n % 2],
            deleted_by=(None, world.ada)[n % 2],
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 41, 130])
def test_rows_are_what_messages_hold_and_ids_are_in_their_order(world: World, count: int) -> None:
    said = messages(world, count)
    insert(said)
    rows = Message.objects.in_bulk([message.pk for message in said])
    assert [message.pk for message in said] == sorted(rows)
    for message in said:
        row = rows[message.pk]
        for field in FIELDS:
            kept, meant = getattr(row, field.attname), getattr(message, field.attname)
            assert kept == meant, field.name
        assert (message._state.adding, message._state.db) == (False, row._state.db)


def test_rows_are_stored_as_django_stores_them(world: World) -> None:
    """Whatever a database makes of a value, it makes of both: read as it is stored."""
    ours, djangos = messages(world, 4), messages(world, 4)
    for one, other in zip(ours, djangos, strict=True):
        other.__dict__ |= {**one.__dict__, "_state": other._state}
        other.revision, other.client_id = one.revision + 10, one.client_id and uuid4()
    insert(ours)
    Message.objects.bulk_create(djangos)
    own = ("id", "revision", "client_id")
    columns = ", ".join(f'"{field.column}"' for field in FIELDS if field.column not in own)
    table = Message._meta.db_table
    with connection.cursor() as cursor:
        for one, other in zip(ours, djangos, strict=True):
            stored = []
            for message in (one, other):
                cursor.execute(
                    f"SELECT {columns}, length(CAST(client_id AS text)) FROM {table} WHERE id = %s",
                    [message.pk],
                )
                stored.append(cursor.fetchone())
            assert stored[0] == stored[1]


@pytest.mark.parametrize("field", [f for f in FIELDS if isinstance(f, AS_THEY_ARE)], ids=str)
def test_what_is_given_as_it_is_needs_nothing_made_of_it(field: models.Field) -> None:
    kind = field.target_field if isinstance(field, models.ForeignKey) else field
    texts = isinstance(kind, models.CharField | models.TextField)
    value = "text" if texts else isinstance(kind, models.BooleanField) or 5
    made = field.get_db_prep_save(value, connection)
    assert made == value
    assert isinstance(made, type(value))


def test_no_field_sets_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `pre_save` does is left out."""
    monkeypatch.setattr(Message._meta.get_field("edited_at"), "auto_now", True)
    with pytest.raises(AssertionError):
        _columns.__wrapped__()
