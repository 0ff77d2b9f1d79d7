"""Many messages in one transaction: of many rooms, all of them or none, each room in order."""

from uuid import uuid4

import pytest

from accounts.errors import DomainError
from messages.models import Message
from messages.posting import Draft
from messages.signals import posted
from rooms.models import Room
from tests.messages.files import upload
from tests.world import World, again


def draft(room: Room, author: object, body: str = "hello", **how: object) -> Draft:
    return Draft(room=room.pk, author=author, body=body, **{"client_id": uuid4(), **how})


def test_a_batch_of_mixed_rooms_is_posted_in_order_and_announced_once(world: World) -> None:
    heard: list[list[Message]] = []
    listen = lambda messages, **_: heard.append(list(messages))  # noqa: E731
    posted.connect(listen)
    file = upload(world.team, world.ben)
    whisper = world.whisper(world.team, world.cleo, world.ben)
    heard.clear()
    drafts = [
        draft(world.team, world.ben, "@cleo one"),
        draft(world.support, world.carl, "two"),
        draft(world.team, world.gus, "three"),
        draft(world.support, world.ada, "four", audience="staff"),
        draft(world.team, world.ben, "five", reply_to=whisper.pk),
        draft(world.team, world.ben, "", attachments=(file.pk,)),
        draft(world.direct, world.cleo, "seven"),
    ]
    try:
        results = [result.message for result in Message.objects.post_all(drafts)]
    finally:
        posted.disconnect(listen)
    assert heard == [results]
    ids = [message.pk for message in results]
    assert ids == sorted(ids)
    assert [again(message).body for message in results] == [d.body for d in drafts]
    assert [message.audience for message in results] == [
        *("everyone", "everyone", "everyone", "staff", "only", "everyone", "everyone")
    ]
    assert results[4].to == [world.cleo.pk]
    assert again(file).message == results[5]
    assert list(results[0].mentions.values_list("user", flat=True)) == [world.cleo.pk]
    for room in (world.team, world.support, world.direct):
        mine = [message for message in results if message.room_id == room.pk]
        head = again(room).revision
        assert [message.revision for message in mine] == list(range(head - len(mine) + 1, head + 1))
        assert again(room).newest == mine[-1].pk
        assert again(room).message_count == Message.objects.filter(room=room).count()


def test_one_bad_draft_leaves_nothing_of_its_batch(world: World) -> None:
    note = world.note(world.ada)
    file = upload(world.team, world.ben)
    bad = {
        "not in it": draft(world.team, world.otto),
        "viewer": draft(world.team, world.vic),
        "text": draft(world.team, world.ben, "x" * 16_001),
        "audience": draft(world.team, world.ben, audience="staff"),
        "reply": draft(world.support, world.carl, reply_to=note.pk),
        "no such room": Draft(room=10**12, author=world.ben, body="x"),
        "no such message": draft(world.team, world.ben, reply_to=10**12),
        "no such file": draft(world.team, world.ben, attachments=(10**12,)),
        "no such person": draft(world.team, world.ben, audience="only", to=(10**12,)),
        "negative": draft(world.team, world.ben, reply_to=-1),
    }
    for name, wrong in bad.items():
        before = (again(world.team).revision, Message.objects.count())
        good = draft(world.team, world.ben, attachments=(file.pk,))
        with pytest.raises(DomainError):
            Message.objects.post_all([good, wrong])
        assert (again(world.team).revision, Message.objects.count()) == before, name
        assert again(file).message is None


def test_a_customer_reopens_a_room_for_the_rest_of_the_batch(world: World) -> None:
    world.support.close(by=world.ada)
    results = Message.objects.post_all(
        [
            draft(world.support, world.carl, "wait"),
            draft(world.support, world.ada, "yes?"),
            draft(world.team, world.ben),
        ]
    )
    room = again(world.support)
    assert room.state == "active"
    assert room.revision == results[1].message.revision
    revisions = list(room.messages.order_by("revision").values_list("revision", flat=True))
    assert len(revisions) == len(set(revisions))
    assert Message.objects.filter(room=room, data__event="reopened").count() == 1


def test_two_customers_in_one_batch_reopen_it_once(world: World) -> None:
    world.support.close(by=world.ada)
    Message.objects.post_all([draft(world.support, world.carl), draft(world.support, world.dora)])
    assert Message.objects.filter(room=world.support, data__event="reopened").count() == 1


def test_a_batch_that_reopens_and_fails_leaves_the_room_closed(world: World) -> None:
    world.support.close(by=world.ada)
    with pytest.raises(DomainError):
        Message.objects.post_all([draft(world.support, world.carl), draft(world.team, world.otto)])
    assert again(world.support).state == "closed"
    assert not Message.objects.filter(room=world.support, data__event="reopened").exists()


def test_an_empty_batch_is_nothing(world: World) -> None:
    assert Message.objects.post_all([]) == []


def test_the_people_named_are_those_of_their_own_room(world: World) -> None:
    ok = draft(world.team, world.ben, audience="only", to=(world.gus.pk,))
    elsewhere = draft(world.public, world.ben, audience="only", to=(world.gus.pk,))
    with pytest.raises(DomainError):
        Message.objects.post_all([ok, elsewhere])
    gus = f"@{world.gus.handle}"
    both = draft(world.public, world.ben, f"{gus} @cleo")
    results = Message.objects.post_all([draft(world.team, world.ben, gus), both])
    assert list(results[0].message.mentions.values_list("user", flat=True)) == [world.gus.pk]
    assert list(results[1].message.mentions.values_list("user", flat=True)) == [world.cleo.pk]
