"""One `client_id`, one message: sent again, racing, twice in one batch, and with other words."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.errors import NotFound
from messages.models import Attachment, Message
from messages.posting import Draft, Posted
from rooms.models import Room
from tests.messages.files import upload
from tests.race import race
from tests.world import World, again

ID = UUID("0192f4c0-0000-7000-8000-000000000001")


def draft(world: World, **changes: Any) -> Draft:
    usual = {"room": world.team.pk, "author": world.ben, "body": "hello", "client_id": ID}
    return Draft(**{**usual, **changes})


def post(*drafts: Draft) -> list[Posted]:
    return Message.objects.post_all(drafts)


def test_the_same_again_is_the_first_message_as_it_now_is(world: World) -> None:
    (first,) = post(draft(world))
    again(first.message).edit("better", by=world.ben)
    revision = again(world.team).revision
    (second,) = post(draft(world))
    assert (first.replayed, second.replayed) == (False, True)
    assert (second.message.pk, second.message.body) == (first.message.pk, "better")
    assert again(world.team).revision == revision


def test_the_same_again_after_deletion_is_the_tombstone(world: World) -> None:
    (first,) = post(draft(world))
    again(first.message).remove(by=world.ben)
    (second,) = post(draft(world))
    assert second.replayed
    assert second.message.deleted_at is not None
    assert Message.objects.filter(client_id=ID).count() == 1


def test_a_note_is_not_replayed_to_who_is_not_of_the_staff_any_more(world: World) -> None:
    note = draft(world, room=world.support.pk, author=world.sue, audience="staff")
    (first,) = post(note)
    again(world.support).change_role(world.sue, "customer", by=world.ada)
    again(first.message).react("👀", by=world.ada)
    with pytest.raises(NotFound):
        post(note)
    again(world.support).change_role(world.sue, "agent", by=world.ada)
    assert post(note)[0].replayed


OTHERS: dict[str, Callable[[World], dict[str, Any]]] = {
    "body": lambda world: {"body": "other"},
    "audience": lambda world: {"audience": "everyone"},
    "to": lambda world: {"audience": "only", "to": (world.cleo.pk,)},
    "reply": lambda world: {"reply_to": world.say(world.team, world.ben).pk},
    "file": lambda world: {"attachments": (upload(world.team, world.ben).pk,)},
    "share": lambda world: {
        "shared_from": world.say(world.team, world.ben).pk,
        "audience": "everyone",
    },
}


@pytest.mark.parametrize("what", OTHERS)
def test_the_same_id_with_another_request_is_a_conflict(world: World, what: str) -> None:
    post(draft(world))
    before = Message.objects.count()
    other = OTHERS[what](world)
    made = Message.objects.count() - before
    with pytest.raises(Message.IdempotencyConflict) as error:
        post(draft(world, **other))
    assert (error.value.code, error.value.status) == ("idempotency_conflict", 409)
    assert Message.objects.count() == before + made


def test_the_order_of_the_people_named_does_not_matter(world: World) -> None:
    people = (world.cleo.pk, world.gus.pk)
    (first,) = post(draft(world, audience="only", to=people))
    (second,) = post(draft(world, audience="only", to=people[::-1]))
    assert (second.replayed, second.message.pk) == (True, first.message.pk)


def test_an_id_is_unique_to_a_room_and_an_author(world: World) -> None:
    drafts = [draft(world), draft(world, author=world.cleo), draft(world, room=world.public.pk)]
    results = post(*drafts)
    assert len({result.message.pk for result in results}) == 3
    assert not any(result.replayed for result in results)
    assert all(result.replayed for result in post(*drafts))


def test_without_an_id_every_message_is_a_new_one(world: World) -> None:
    results = post(draft(world, client_id=None), draft(world, client_id=None))
    assert results[0].message.pk != results[1].message.pk


def test_doubles_within_one_batch_make_one_message(world: World) -> None:
    results = post(draft(world), draft(world), draft(world))
    assert len({result.message.pk for result in results}) == 1
    assert [result.replayed for result in results] == [False, True, True]
    assert Message.objects.filter(client_id=ID).count() == 1


def test_doubles_with_other_words_within_one_batch_are_a_conflict(world: World) -> None:
    with pytest.raises(Message.IdempotencyConflict):
        post(draft(world), draft(world, body="other"))
    assert not Message.objects.filter(client_id=ID).exists()


@pytest.mark.parametrize("state", ["closed", "archived"])
def test_a_repetition_is_answered_in_a_closed_room(world: World, state: str) -> None:
    (first,) = post(draft(world))
    Room.objects.filter(pk=world.team.pk).update(state=state)
    (second,) = post(draft(world))
    assert (second.replayed, second.message.pk) == (True, first.message.pk)
    with pytest.raises(Message.IdempotencyConflict):
        post(draft(world, body="other"))


def test_a_repetition_is_answered_after_losing_the_right_to_write(world: World) -> None:
    (first,) = post(draft(world, author=world.cleo))
    again(world.team).change_role(world.cleo, "viewer", by=world.ben)
    (second,) = post(draft(world, author=world.cleo))
    assert (second.replayed, second.message.pk) == (True, first.message.pk)


def test_membership_is_asked_first(world: World) -> None:
    post(draft(world, author=world.cleo))
    again(world.team).leave(by=world.cleo)
    with pytest.raises(NotFound):
        post(draft(world, author=world.cleo))


def test_a_repeated_customer_message_does_not_reopen_the_room(world: World) -> None:
    carl = draft(world, room=world.support.pk, author=world.carl)
    post(carl)
    again(world.support).close(by=world.ada)
    (second,) = post(carl)
    assert second.replayed
    assert again(world.support).state == "closed"


def test_a_repetition_with_files_is_the_same(world: World) -> None:
    file = upload(world.team, world.ben)
    (first,) = post(draft(world, attachments=(file.pk,)))
    (second,) = post(draft(world, attachments=(file.pk,)))
    assert (second.replayed, second.message.pk) == (True, first.message.pk)
    assert Attachment.objects.filter(message=first.message).count() == 1


def test_sharing_is_idempotent_too(world: World) -> None:
    source = world.say(world.team, world.ben)
    key = uuid4()

    def share(**how: Any) -> Posted:
        return again(source).share(by=world.ben, audience="everyone", client_id=key, **how)

    assert (share().replayed, share().replayed) == (False, True)
    with pytest.raises(Message.IdempotencyConflict):
        share(body="changed")
    other = world.say(world.team, world.ben, "another")
    with pytest.raises(Message.IdempotencyConflict):
        again(other).share(by=world.ben, audience="everyone", client_id=key)
    assert world.team.messages.filter(client_id=key).count() == 1


@pytest.mark.django_db(transaction=True)
def test_racing_posts_with_one_id_make_one_message(world: World) -> None:
    outcomes = race(*[lambda: post(draft(world))] * 8)
    results = [outcome[0] for outcome in outcomes]
    assert len({result.message.pk for result in results}) == 1
    assert sorted(result.replayed for result in results) == [False] + [True] * 7
    assert Message.objects.filter(client_id=ID).count() == 1


@pytest.mark.django_db(transaction=True)
def test_racing_posts_with_one_id_and_other_words_make_one_message(world: World) -> None:
    outcomes = race(*(lambda n=n: post(draft(world, body=f"words {n}")) for n in range(6)))
    kinds = sorted(type(outcome).__name__ for outcome in outcomes)
    assert kinds == ["IdempotencyConflict"] * 5 + ["list"]
    assert Message.objects.filter(client_id=ID).count() == 1


@pytest.mark.django_db(transaction=True)
def test_racing_posts_take_each_revision_once_in_the_order_of_ids(world: World) -> None:
    people = [world.ben, world.cleo, world.gus, world.dee]
    race(
        *(
            lambda who=who, n=n: world.say(again(world.team), who, f"{n}")
            for who in people
            for n in range(4)
        )
    )
    rows = list(
        world.team.messages.filter(kind="text").order_by("pk").values_list("pk", "revision")
    )
    assert len(rows) == 16
    assert [revision for _, revision in rows] == sorted({revision for _, revision in rows})
    room = again(world.team)
    assert (room.newest, room.revision) == rows[-1]
    assert room.message_count == world.team.messages.count()


@pytest.mark.django_db(transaction=True)
def test_batches_of_the_same_rooms_in_other_orders_do_not_wait_for_each_other_forever(
    world: World,
) -> None:
    def batch(*rooms: Room) -> list[Posted]:
        return post(*(draft(world, room=room.pk, client_id=uuid4()) for room in rooms))

    rooms = [world.team, world.public, world.direct]
    outcomes = race(
        *(lambda turn=turn: batch(*rooms[turn:], *rooms[:turn]) for turn in (0, 1, 2, 0, 1, 2))
    )
    assert {type(outcome) for outcome in outcomes} == {list}
    assert Message.objects.filter(author=world.ben, kind="text").count() == 18
