"""Posting over the socket: each post is answered for itself, in the order sent."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from psycopg_pool import PoolTimeout

from accounts.errors import Unavailable
from live.database import run
from live.hub import Hub
from messages.models import Attachment, Message
from messages.posting import Draft
from tests.live.client import Client, Frame
from tests.world import World


async def count(**which: Any) -> int:
    return await run(Message.objects.filter(kind="text", **which).count)


async def refused(client: Client, room: int, body: str = "x", **fields: Any) -> Frame:
    """The error of a post, which names it."""
    client_id = fields.pop("client_id", None) or str(uuid4())
    await client.send("post", room=room, client_id=client_id, body=body, **fields)
    error = await client.frame("error", client_id=client_id)
    assert error["room"] == room
    return error


async def test_one_bad_draft_among_many_costs_no_transaction_each(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others are committed, in their order."""
    post_all, asked = Message.objects.post_all, []

    def counted(drafts: list[Draft]) -> Any:
        asked.append(len(drafts))
        return post_all(drafts)

    monkeypatch.setattr(Message.objects, "post_all", counted)
    results = await posted_together(hub, world, [f"line {n}" * (n != 41) for n in range(64)])
    assert [n for n, result in enumerate(results) if isinstance(result, Exception)] == [41]
    pks = [result.message.pk for n, result in enumerate(results) if n != 41]
    assert pks == sorted(pks)
    assert len(asked) == 13  # two for each halving


async def posted_together(hub: Hub, world: World, bodies: list[str]) -> list[Any]:
    """What comes of them, in one batch of one author: by turns in two rooms."""
    rooms = itertools.cycle([world.team.pk, world.public.pk])
    drafts = [
        Draft(room=room, author=world.ben, client_id=uuid4(), body=body)
        for room, body in zip(rooms, bodies, strict=False)
    ]
    return await asyncio.gather(*map(hub.lane.post, drafts), return_exceptions=True)


async def test_a_room_that_is_not_to_be_had_is_waited_for_once_more_and_costs_no_other(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try for its lock takes seconds, in which nobody posts."""
    post_all, waited = Message.objects.post_all, []

    def locked_out(drafts: list[Draft]) -> Any:
        if any(draft.room == world.team.pk for draft in drafts):
            waited.append(len(drafts))
            raise OperationalError("canceling statement due to lock timeout")
        return post_all(drafts)

    monkeypatch.setattr(Message.objects, "post_all", locked_out)
    results = await posted_together(hub, world, [f"line {n}" for n in range(64)])
    assert all(isinstance(result, OperationalError) for result in results[::2])
    pks = [result.message.pk for result in results[1::2]]
    assert pks == sorted(pks)
    assert waited == [64, 1]


@pytest.mark.parametrize("tries", [[64], [64, 1]])
async def test_a_database_out_of_reach_is_asked_no_more_for_all_that_waits(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch, tries: list[int]
) -> None:
    """Be it found out at once, or by the second one, as the first had a connection that broke."""
    asked = []

    def away(drafts: list[Draft]) -> Any:
        asked.append(len(drafts))
        cause = PoolTimeout() if asked == tries else None
        raise OperationalError("no connection") from cause

    monkeypatch.setattr(Message.objects, "post_all", away)
    results = await posted_together(hub, world, [f"line {n}" for n in range(64)])
    assert all(isinstance(result, OperationalError) for result in results)
    assert asked == tries


# One post


async def test_a_post_is_answered_and_told(world: World, hub: Hub) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    client_id = str(uuid4())
    posted = await cleo.post(world.team.pk, "hello", client_id=client_id)
    assert posted.keys() == {"type", "room", "client_id", "message", "replayed"}
    assert (posted["room"], posted["client_id"]) == (world.team.pk, client_id)
    assert posted["replayed"] is False
    assert await cleo.message("hello") == posted["message"]


async def test_posting_needs_no_joining(world: World, hub: Hub) -> None:
    ben = await Client.of(world.ben)
    cleo = await Client.into(world.cleo, world.team.pk)
    await ben.post(world.team.pk, "from afar")
    await cleo.message("from afar")
    await ben.settle()
    assert ben.of_type("messages") == []


async def test_ones_own_posts_reach_ones_other_sockets(world: World, hub: Hub) -> None:
    phone, desk = [await Client.into(world.cleo, world.team.pk) for _ in range(2)]
    await phone.post(world.team.pk, "hello")
    await desk.message("hello")
    assert desk.of_type("posted") == []


async def test_a_reply_shows_its_quote_to_who_posted_it(world: World, hub: Hub) -> None:
    original = await run(world.say, world.team, world.ben, "original")
    cleo = await Client.into(world.cleo, world.team.pk)
    posted = await cleo.post(world.team.pk, "reply", reply_to=original.pk)
    assert posted["message"]["reply_to"]["id"] == original.pk
    assert await cleo.message("reply") == posted["message"]


async def test_files_go_with_a_post(world: World, hub: Hub) -> None:
    upload = await run(
        Attachment.objects.create, room=world.team, uploader=world.cleo, name="a.txt", size=1
    )
    cleo = await Client.into(world.cleo, world.team.pk)
    posted = await cleo.post(world.team.pk, "", attachments=[upload.pk])
    assert [file["id"] for file in posted["message"]["attachments"]] == [upload.pk]
    assert (await cleo._wait(lambda: cleo.messages))[0] == posted["message"]


# Replays


async def test_a_repeated_post_is_the_first_one_as_it_now_is(world: World, hub: Hub) -> None:
    cleo, ben = [await Client.into(user, world.team.pk) for user in (world.cleo, world.ben)]
    how = {"client_id": str(uuid4()), "audience": "only", "to": [world.ben.pk]}
    first = await cleo.post(world.team.pk, "hello", **how)
    message = await run(Message.objects.get, pk=first["message"]["id"])
    await run(message.react, "👍", by=world.ben)
    again = await cleo.post(world.team.pk, "hello", **how)
    assert again["replayed"] is True
    assert again["message"]["id"] == message.pk
    assert again["message"]["version"] == 2
    assert again["message"]["reactions"]
    await ben.post(world.team.pk, "next")
    await cleo.message("next")
    assert [m["version"] for m in cleo.messages if m["id"] == message.pk] == [1, 2]
    assert await count() == 2


async def test_a_replayed_reply_shows_its_quote(world: World, hub: Hub) -> None:
    original = await run(world.say, world.team, world.ben, "original")
    cleo = await Client.into(world.cleo, world.team.pk)
    how = {"client_id": str(uuid4()), "reply_to": original.pk}
    first = await cleo.post(world.team.pk, "reply", **how)
    assert (await cleo.post(world.team.pk, "reply", **how))["message"] == first["message"]


async def test_a_post_sent_twice_at_once_is_one_message(world: World, hub: Hub) -> None:
    cleo, phone = [await Client.into(world.cleo, world.team.pk) for _ in range(2)]
    frame = {"room": world.team.pk, "client_id": str(uuid4()), "body": "once"}
    for client in (cleo, cleo, phone):
        await client.send("post", **frame)
    answers = [await cleo.frame("posted"), await cleo.frame("posted"), await phone.frame("posted")]
    assert [answer["replayed"] for answer in answers].count(False) == 1
    assert len({answer["message"]["id"] for answer in answers}) == 1
    assert await count() == 1


async def test_the_same_client_id_for_something_else_is_a_conflict(world: World, hub: Hub) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    client_id = str(uuid4())
    await cleo.post(world.team.pk, "one", client_id=client_id)
    error = await refused(cleo, world.team.pk, "another", client_id=client_id)
    assert (error["code"], error["retryable"]) == ("idempotency_conflict", False)
    assert await count() == 1


async def test_a_client_id_is_ones_own_and_the_rooms(world: World, hub: Hub) -> None:
    cleo, ben = [await Client.into(user, world.team.pk) for user in (world.cleo, world.ben)]
    client_id = str(uuid4())
    await cleo.post(world.team.pk, "cleo’s", client_id=client_id)
    assert not (await ben.post(world.team.pk, "ben’s", client_id=client_id))["replayed"]
    assert not (await cleo.post(world.public.pk, "there", client_id=client_id))["replayed"]
    assert await count() == 3


async def test_a_client_id_is_answered_as_it_was_sent(world: World, hub: Hub) -> None:
    """Clients match answers by it, also where they write UUIDs in capitals."""
    cleo = await Client.into(world.cleo, world.team.pk)
    for client_id in (str(uuid4()).upper(), uuid4().hex):
        await cleo.post(world.team.pk, "hello", client_id=client_id)
        await refused(cleo, world.team.pk, "another", client_id=client_id)


# Refusals


@pytest.mark.parametrize(
    ("name", "room", "fields", "code"),
    [
        ("vic", "team", {}, "forbidden"),
        ("vic", "support", {}, "not_found"),
        ("carl", "support", {"audience": "staff"}, "forbidden"),
        ("carl", "support", {"audience": "only", "to": "ada"}, "forbidden"),
        ("cleo", "team", {"audience": "staff"}, "invalid"),
        ("cleo", "team", {"audience": "only"}, "invalid"),
        ("cleo", "team", {"to": "ben"}, "invalid"),
        ("cleo", "team", {"audience": "only", "to": "otto"}, "invalid"),
        ("cleo", "team", {"audience": "only", "to": "ada"}, "invalid"),
    ],
)
async def test_what_one_may_not_say_is_refused(
    world: World, hub: Hub, name: str, room: str, fields: dict[str, Any], code: str
) -> None:
    if "to" in fields:
        fields = {**fields, "to": [world.people[fields["to"]].pk]}
    client = await Client.of(world.people[name])
    error = await refused(client, world.rooms[room].pk, **fields)
    assert (error["code"], error["retryable"]) == (code, False)
    assert await count() == 0


async def test_a_closed_room_takes_no_posts_but_replays(world: World, hub: Hub) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    client_id = str(uuid4())
    await cleo.post(world.team.pk, "hello", client_id=client_id)
    await run(world.team.close, by=world.ben)
    assert (await refused(cleo, world.team.pk))["code"] == "room_closed"
    assert (await cleo.post(world.team.pk, "hello", client_id=client_id))["replayed"]


async def test_one_cannot_quote_what_one_may_not_see(world: World, hub: Hub) -> None:
    whisper = await run(world.whisper, world.team, world.ben, world.cleo)
    gus = await Client.into(world.gus, world.team.pk)
    unseen = await refused(gus, world.team.pk, reply_to=whisper.pk)
    absent = await refused(gus, world.team.pk, reply_to=10**9)
    unseen.pop("client_id"), absent.pop("client_id")
    assert unseen == absent


async def test_a_customer_brings_a_closed_room_back(world: World, hub: Hub) -> None:
    await run(world.support.close, by=world.ada)
    carl, ada = [await Client.into(user, world.support.pk) for user in (world.carl, world.ada)]
    await carl.post(world.support.pk, "one more thing")
    await ada.message("one more thing")
    states = [f["changed"].get("state") for f in ada.of_type("room")]
    assert states[-1] == "active"


# Many posts


async def test_posts_of_one_socket_keep_their_order_over_rooms(
    world: World, hub: Hub, settings
) -> None:
    settings.CHAT_THROTTLES = False
    ben = await Client.of(world.ben)
    rooms = [world.team.pk, world.public.pk]
    for n in range(100):
        await ben.send("post", room=rooms[n % 2], client_id=str(uuid4()), body=f"{n}")
    for _ in range(100):
        await ben.frame("posted")
    ids = await run(list, Message.objects.filter(kind="text").order_by("pk").values_list("body"))
    assert ids == [(f"{n}",) for n in range(100)]


async def test_one_bad_draft_costs_no_other(world: World, hub: Hub, settings) -> None:
    settings.CHAT_THROTTLES = False
    clients = [
        await Client.into(user, world.team.pk) for user in (world.ben, world.cleo, world.gus)
    ]
    vic = await Client.into(world.vic, world.team.pk)
    sent = []
    for n in range(10):
        for client in clients:
            await client.send("post", room=world.team.pk, client_id=str(uuid4()), body=f"good {n}")
        wrong = str(uuid4())
        await vic.send("post", room=world.team.pk, client_id=wrong, body="bad")
        sent.append(wrong)
    for client in clients:
        for _ in range(10):
            await client.frame("posted")
        assert client.of_type("error") == []
    for wrong in sent:
        assert (await vic.frame("error", client_id=wrong))["code"] == "forbidden"
    assert await count() == 30


async def test_posts_are_tried_again_one_by_one_where_a_batch_found_something_busy(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where that fails, too, it is told as something to try again."""
    cleo = await Client.into(world.cleo, world.team.pk)
    post_all = Message.objects.post_all

    def fails(drafts: list[Draft]) -> Any:
        if any(draft.body == "unlucky" for draft in drafts):
            raise OperationalError("database is locked")
        return post_all(drafts)

    monkeypatch.setattr(Message.objects, "post_all", fails)
    rooms = {"one": world.team.pk, "unlucky": world.public.pk, "two": world.team.pk}
    ids = [str(uuid4()) for _ in rooms]
    for client_id, (body, room) in zip(ids, rooms.items(), strict=True):
        await cleo.send("post", room=room, client_id=client_id, body=body)
    error = await cleo.frame("error", client_id=ids[1])
    assert (error["code"], error["retryable"]) == (Unavailable.code, True)
    for client_id in (ids[0], ids[2]):
        await cleo.frame("posted", client_id=client_id)


async def test_a_fault_of_ours_is_told_and_the_socket_goes_on(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    with monkeypatch.context() as broken:
        broken.setattr(Message.objects, "post_all", lambda drafts: 1 / 0)
        error = await refused(cleo, world.team.pk)
    assert (error["code"], error["retryable"]) == ("unavailable", True)
    await cleo.post(world.team.pk, "better now")


async def test_posts_are_committed_though_their_author_reads_nothing(
    world: World, hub: Hub
) -> None:
    ben, cleo = [await Client.into(user, world.team.pk) for user in (world.ben, world.cleo)]
    ben.reads.clear()
    for n in range(10):
        await ben.send("post", room=world.team.pk, client_id=str(uuid4()), body=f"line {n}")
    await cleo.message("line 9")
    ben.reads.set()
    for _ in range(10):
        await ben.frame("posted")


async def test_posts_are_committed_though_their_author_is_gone(world: World, hub: Hub) -> None:
    ben, cleo = [await Client.into(user, world.team.pk) for user in (world.ben, world.cleo)]
    for n in range(10):
        await ben.send("post", room=world.team.pk, client_id=str(uuid4()), body=f"line {n}")
    await asyncio.sleep(0)
    await ben.disconnect()
    await cleo.message("line 9")
