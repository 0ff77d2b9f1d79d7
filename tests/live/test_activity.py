"""What goes on in rooms that a socket has not joined."""

from __future__ import annotations

import pytest

from live import activity
from live.database import run
from live.hub import Hub
from messages.models import Message
from rooms.models import Participant
from tests.live.client import Client
from tests.live.clock import Clock
from tests.world import World


async def test_what_is_said_in_a_room_not_joined_is_counted(
    world: World, quick: None, hub: Hub
) -> None:
    cleo = await Client.of(world.cleo)
    await run(world.say, world.team, world.ben, "one")
    first = await cleo.frame("activity")
    assert first == {"type": "activity", "room": world.team.pk, "unread": 1, "mentions": 0}
    await run(world.say, world.team, world.ben, "two, @cleo")
    await cleo.frame("activity", room=world.team.pk, unread=2, mentions=1)


async def test_rooms_that_are_joined_have_no_activity(world: World, quick: None, hub: Hub) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    elsewhere = await Client.into(world.cleo, world.public.pk)
    await run(world.say, world.team, world.ben, "in the team")
    await elsewhere.frame("activity", room=world.team.pk)
    await run(world.say, world.public, world.ben, "in public")
    await cleo.frame("activity", room=world.public.pk)
    assert cleo.of_type("activity") == elsewhere.of_type("activity") == []


async def test_only_what_one_may_see_is_activity(world: World, quick: None, hub: Hub) -> None:
    cleo, gus, carl = [await Client.of(user) for user in (world.cleo, world.gus, world.carl)]
    await run(world.whisper, world.team, world.ben, world.cleo)
    await cleo.frame("activity", room=world.team.pk, unread=1)
    await run(world.note, world.ada)
    await run(world.say, world.support, world.ada, "aloud")
    await carl.frame("activity", room=world.support.pk, unread=1)
    await run(world.say, world.team, world.ben, "aloud")
    await gus.frame("activity", room=world.team.pk, unread=1)
    assert gus.of_type("activity") == carl.of_type("activity") == []


async def test_reading_elsewhere_is_told_as_activity(world: World, quick: None, hub: Hub) -> None:
    phone, desk = await Client.of(world.cleo), await Client.into(world.cleo, world.team.pk)
    message = await run(world.say, world.team, world.ben, "one")
    await phone.frame("activity", unread=1)
    await desk.send("read", room=world.team.pk, message=message.pk)
    await phone.frame("activity", unread=0)


async def test_ones_own_posts_are_not_unread(world: World, quick: None, hub: Hub) -> None:
    cleo = await Client.of(world.cleo)
    await cleo.post(world.team.pk, "mine")
    assert (await cleo.frame("activity"))["unread"] == 0


async def test_a_burst_is_one_frame_a_room_and_moment(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(activity, "asyncio", clock)
    cleo = await Client.of(world.cleo)
    await run(world.say, world.team, world.ben, "0")
    await cleo.frame("activity", unread=1)
    for n in range(1, 20):
        await run(world.say, world.team, world.ben, f"{n}")
    await cleo.settle()
    assert cleo.of_type("activity") == []
    assert clock.pauses == [1.0]
    clock.ring()
    last = await cleo.frame("activity")
    assert (last["room"], last["unread"]) == (world.team.pk, 20)
    await cleo.settle()
    assert cleo.of_type("activity") == []


async def test_edits_and_deletions_are_activity(world: World, quick: None, hub: Hub) -> None:
    cleo = await Client.of(world.cleo)
    message = await run(world.say, world.team, world.ben, "one")
    await cleo.frame("activity", unread=1)
    await run(message.remove, by=world.ben)
    await cleo.frame("activity", unread=0)


async def test_a_fault_does_not_end_it_for_ever(
    world: World, quick: None, hub: Hub, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_THROTTLES = False
    cleo = await Client.of(world.cleo)
    with monkeypatch.context() as broken:
        failed = []
        broken.setattr(activity, "_count", lambda *_: failed.append(1) or 1 / 0)
        await run(world.say, world.team, world.ben, "one")
        while not failed:
            await cleo.settle()
    await run(world.say, world.team, world.ben, "two")
    await cleo.frame("activity", unread=2)


# Having read


async def test_what_i_read_my_other_sockets_know(world: World, hub: Hub) -> None:
    aloud = await run(world.say, world.team, world.ben, "aloud")
    whisper = await run(world.whisper, world.team, world.ben, world.cleo)
    phone, desk = await Client.of(world.cleo), await Client.into(world.cleo, world.team.pk)
    for message in (aloud, whisper):
        await desk.send("read", room=world.team.pk, message=message.pk)
        for client in (phone, desk):
            told = await client.frame("read")
            assert told == {
                "type": "read",
                "room": world.team.pk,
                "user": world.cleo.pk,
                "message": message.pk,
            }
    seat = await run(Participant.objects.get, room=world.team, user=world.cleo)
    assert seat.last_read == whisper.pk


async def test_others_are_told_the_newest_everyone_may_see(world: World, hub: Hub) -> None:
    cleo, gus = [await Client.into(user, world.team.pk) for user in (world.cleo, world.gus)]
    await run(world.say, world.team, world.ben, "first")
    aloud = await run(world.say, world.team, world.ben, "aloud")
    whisper = await run(world.whisper, world.team, world.ben, world.cleo)
    await cleo.send("read", room=world.team.pk, message=whisper.pk)
    assert (await gus.frame("read", user=world.cleo.pk))["message"] == aloud.pk


async def test_in_crowded_rooms_one_hears_of_nobodys_reading_but_ones_own(
    world: World, hub: Hub, settings: pytest.FixtureRequest
) -> None:
    settings.CHAT_PRESENCE_MAX_ROOM = 2
    cleo, gus = [await Client.into(user, world.team.pk) for user in (world.cleo, world.gus)]
    aloud = await run(world.say, world.team, world.ben, "aloud")
    await cleo.send("read", room=world.team.pk, message=aloud.pk)
    await cleo.frame("read", message=aloud.pk)
    await gus.settle()
    assert gus.of_type("read") == []


async def test_reading_a_whisper_tells_others_nothing(world: World, hub: Hub) -> None:
    aloud = await run(world.say, world.team, world.ben, "aloud")
    whisper = await run(world.whisper, world.team, world.ben, world.cleo)
    cleo, gus = [await Client.into(user, world.team.pk) for user in (world.cleo, world.gus)]
    await cleo.send("read", room=world.team.pk, message=aloud.pk)
    await gus.frame("read", message=aloud.pk)
    await cleo.send("read", room=world.team.pk, message=whisper.pk)
    await cleo.frame("read", message=whisper.pk)
    await gus.settle()
    assert gus.of_type("read") == []
    await run(whisper.mark_unread, by=world.cleo)
    await cleo.frame("read", message=whisper.pk - 1)
    await gus.settle()
    assert gus.of_type("read") == []


async def test_what_was_before_ones_time_is_not_told_as_read(world: World, hub: Hub) -> None:
    await run(world.team.update, by=world.ben, history="joined")
    before = await run(world.say, world.team, world.ben, "before otto")
    await run(world.team.invite, world.otto, by=world.ben)
    cleo, otto, gus = [
        await Client.into(user, world.team.pk) for user in (world.cleo, world.otto, world.gus)
    ]
    await cleo.send("read", room=world.team.pk, message=before.pk)
    await gus.frame("read", message=before.pk)
    await otto.settle()
    assert otto.of_type("read") == []


async def test_customers_do_not_hear_what_supervisors_read(world: World, hub: Hub) -> None:
    message = await run(world.say, world.support, world.carl, "help")
    carl, ada, sue = [
        await Client.into(user, world.support.pk) for user in (world.carl, world.ada, world.sue)
    ]
    await sue.send("read", room=world.support.pk, message=message.pk)
    await ada.frame("read", user=world.sue.pk)
    await carl.settle()
    assert carl.of_type("read") == []
    await ada.send("read", room=world.support.pk, message=message.pk)
    await carl.frame("read", user=world.ada.pk, message=message.pk)


async def test_one_reads_forward_only_and_nothing_is_told_twice(world: World, hub: Hub) -> None:
    first = await run(world.say, world.team, world.ben, "first")
    second = await run(world.say, world.team, world.ben, "second")
    cleo = await Client.into(world.cleo, world.team.pk)
    for message in (second, first, second):
        await cleo.send("read", room=world.team.pk, message=message.pk)
    await cleo.settle()
    assert [f["message"] for f in cleo.of_type("read")] == [second.pk]


async def test_what_one_may_not_see_cannot_be_read(world: World, hub: Hub) -> None:
    whisper = await run(world.whisper, world.team, world.ben, world.cleo)
    public = await run(world.say, world.public, world.ben, "elsewhere")
    gus = await Client.into(world.gus, world.team.pk)
    for room, message in (
        (world.team.pk, whisper.pk),
        (world.team.pk, public.pk),
        (world.public.pk, public.pk),
    ):
        await gus.send("read", room=room, message=message)
        await gus.error("not_found", room=room)
    newest = await run(Message.objects.order_by("-pk").values_list("pk", flat=True).first)
    await gus.send("read", room=world.team.pk, message=newest + 1)
    await gus.error("not_found", room=world.team.pk)


# Typing


async def typed(world: World, client: Client, others: list[Client], **how) -> list[bool]:
    """Who of the others hears that this client types."""
    room = client.joined["room"]["id"]
    await client.send("typing", room=room, **how)
    await client.settle()
    heard = []
    for other in others:
        await other.settle()
        frames = other.of_type("typing")
        for frame in frames:
            other.frames.remove(frame)
            assert frame.keys() == {"type", "room", "user", "audience", "expires_in"}
            assert frame["expires_in"] > 0
            assert frame["room"] == room
        heard.append(len(frames) == 1)
    return heard


async def test_typing_is_told_to_all_others_in_the_room(world: World, hub: Hub) -> None:
    cleo, phone, ben, vic = [
        await Client.into(user, world.team.pk)
        for user in (world.cleo, world.cleo, world.ben, world.vic)
    ]
    outside = await Client.into(world.ben, world.public.pk)
    assert await typed(world, cleo, [ben, vic, phone, outside]) == [True, True, False, False]


async def test_typing_a_whisper_is_told_to_its_ends(world: World, hub: Hub) -> None:
    cleo, ben, gus = [
        await Client.into(user, world.team.pk) for user in (world.cleo, world.ben, world.gus)
    ]
    how = {"audience": "only", "to": [world.ben.pk]}
    assert await typed(world, cleo, [ben, gus], **how) == [True, False]


async def test_typing_a_note_is_told_to_staff(world: World, hub: Hub) -> None:
    ada, sue, carl = [
        await Client.into(user, world.support.pk) for user in (world.ada, world.sue, world.carl)
    ]
    assert await typed(world, ada, [sue, carl], audience="staff") == [True, False]
    whisper = {"audience": "only", "to": [world.dora.pk]}
    assert await typed(world, ada, [sue, carl], **whisper) == [True, False]
    assert await typed(world, ada, [sue, carl]) == [True, True]
    assert await typed(world, carl, [ada, sue]) == [True, True]


async def test_customers_do_not_hear_supervisors_type(world: World, hub: Hub) -> None:
    sue, ada, carl = [
        await Client.into(user, world.support.pk) for user in (world.sue, world.ada, world.carl)
    ]
    assert await typed(world, sue, [ada, carl]) == [True, False]


async def test_who_may_not_write_does_not_type(world: World, hub: Hub) -> None:
    vic, ben = [await Client.into(user, world.team.pk) for user in (world.vic, world.ben)]
    carl, ada = [await Client.into(user, world.support.pk) for user in (world.carl, world.ada)]
    assert await typed(world, vic, [ben]) == [False]
    await vic.error("forbidden", room=world.team.pk)
    assert await typed(world, carl, [ada], audience="staff") == [False]
    await carl.error("forbidden", room=world.support.pk)


async def test_nobody_types_in_a_room_they_are_not_in(world: World, hub: Hub) -> None:
    ben = await Client.into(world.ben, world.team.pk)
    otto = await Client.of(world.otto)
    await otto.send("typing", room=world.team.pk)
    await otto.error("not_found", room=world.team.pk)
    await ben.settle()
    assert ben.of_type("typing") == []


async def test_typing_is_not_told_to_who_was_just_removed(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """News from a process that knows of newer people waits for ours to know them."""
    cleo, gus = [await Client.into(user, world.team.pk) for user in (world.cleo, world.gus)]
    for wake in ("_wake", "_announce"):
        monkeypatch.setattr(f"live.listeners.{wake}", lambda *_: None)
    await run(world.team.remove, world.cleo, by=world.ben)
    room = await run(type(world.team).objects.get, pk=world.team.pk)
    hub.tell(
        {
            "kind": "typing",
            "room": room.pk,
            "user": world.ben.pk,
            "role": "owner",
            "audience": "everyone",
            "to": [],
            "people_revision": room.people_revision,
        }
    )
    await cleo.frame("left")
    await gus.frame("room")
    assert cleo.of_type("typing") == gus.of_type("typing") == []
