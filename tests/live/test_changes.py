"""What is told live: messages new, changed and gone, and what becomes of the room."""

from __future__ import annotations

import pytest

from live.bulletin import CHUNK
from live.database import run
from live.hub import Hub
from messages.models import Message
from messages.posting import Draft
from tests.live.client import Client, Frame
from tests.world import World, again


async def now(message: Message) -> Message:
    return await run(again, message)


async def version(client: Client, message: Message, number: int) -> Frame:
    """That version of a message, once it has come."""

    def found() -> Frame | None:
        told = [m for m in client.messages if (m["id"], m["version"]) == (message.pk, number)]
        return told[0] if told else None

    return await client._wait(found)


async def after_all(world: World, *clients: Client) -> None:
    """All that was committed before has reached these, if it was to."""
    for room in {client.joined["room"]["id"] for client in clients}:
        name = next(name for name, one in world.rooms.items() if one.pk == room)
        by = world.ada if name == "support" else world.ben
        await run(world.say, world.rooms[name], by, "after all")
    for client in clients:
        await client.message("after all")


async def team_of(world: World) -> list[Client]:
    return [await Client.into(user, world.team.pk) for user in (world.ben, world.cleo, world.gus)]


# Messages


async def test_an_edit_reaches_all_who_see_the_message(world: World, hub: Hub) -> None:
    clients = await team_of(world)
    message = await run(world.say, world.team, world.ben, "frist")
    await run(message.edit, "first", by=world.ben)
    for client in clients:
        told = await version(client, message, 2)
        assert told["body"] == "first"
        assert told["html"] == "<p>first</p>\n"
        assert told["edited_at"]


async def test_a_tombstone_reaches_exactly_those_who_saw_the_message(
    world: World, hub: Hub
) -> None:
    ben, cleo, gus = await team_of(world)
    aloud = await run(world.say, world.team, world.ben, "aloud")
    whisper = await run(world.whisper, world.team, world.ben, world.cleo)
    for message in (aloud, whisper):
        await run((await now(message)).remove, by=world.ben)
    await after_all(world, ben, cleo, gus)
    for client, seen in (
        (ben, {aloud.pk, whisper.pk}),
        (cleo, {aloud.pk, whisper.pk}),
        (gus, {aloud.pk}),
    ):
        gone = [m for m in client.messages if m["deleted_at"]]
        assert {m["id"] for m in gone} == seen
        for told in gone:
            blank = (told["body"], told["html"], told["data"], told["reply_to"])
            assert blank == ("", "", {}, None)
            assert told["attachments"] == told["reactions"] == []


async def test_reactions_come_and_go(world: World, hub: Hub) -> None:
    clients = await team_of(world)
    message = await run(world.say, world.team, world.ben, "nice?")
    await run((await now(message)).react, "👍", by=world.cleo)
    for client in clients:
        told = await version(client, message, 2)
        assert told["reactions"] == [{"emoji": "👍", "count": 1, "users": [world.cleo.pk]}]
    await run((await now(message)).unreact, "👍", by=world.cleo)
    for client in clients:
        assert (await version(client, message, 3))["reactions"] == []


async def test_a_reaction_to_a_whisper_reaches_only_its_ends(world: World, hub: Hub) -> None:
    ben, cleo, gus = await team_of(world)
    whisper = await run(world.whisper, world.team, world.ben, world.cleo)
    await run(whisper.react, "👍", by=world.cleo)
    assert (await version(ben, whisper, 2))["reactions"]
    assert (await version(cleo, whisper, 2))["reactions"]
    await after_all(world, gus)
    assert gus.bodies == ["after all"]


async def test_a_quote_follows_what_it_quotes(world: World, hub: Hub) -> None:
    clients = await team_of(world)
    original = await run(world.say, world.team, world.ben, "the first word")
    reply = await run(world.say, world.team, world.cleo, "indeed", reply_to=original)
    for client in clients:
        quote = (await version(client, reply, 1))["reply_to"]
        assert quote["id"] == original.pk
        assert quote["author"]["handle"] == "ben"
        assert quote["excerpt"] == "the first word"
    await run((await now(original)).edit, "the last word", by=world.ben)
    for client in clients:
        assert (await version(client, reply, 2))["reply_to"]["excerpt"] == "the last word"
    await run((await now(original)).remove, by=world.ben)
    for client in clients:
        quote = (await version(client, reply, 3))["reply_to"]
        assert (quote["id"], quote["excerpt"]) == (original.pk, "")


async def test_a_quote_is_empty_for_those_who_do_not_see_the_original(
    world: World, hub: Hub
) -> None:
    ben, cleo, gus = await team_of(world)
    whisper = await run(world.whisper, world.team, world.ben, world.cleo, body="the secret")
    reply = await run(
        world.say, world.team, world.cleo, "aloud", reply_to=whisper, audience="everyone"
    )
    for client in (ben, cleo):
        assert (await version(client, reply, 1))["reply_to"]["excerpt"] == "the secret"
    assert (await version(gus, reply, 1))["reply_to"] is None


async def test_a_share_names_its_origin_to_those_who_may_see_it(world: World, hub: Hub) -> None:
    ben, cleo, gus = await team_of(world)
    whisper = await run(world.whisper, world.team, world.ben, world.cleo, body="worth telling")
    share, _ = await run(whisper.share, by=world.cleo, audience="everyone")
    for client in (ben, cleo):
        origin = (await version(client, share, 1))["shared_from"]
        assert (origin["message"], origin["room"]) == (whisper.pk, world.team.pk)
        assert origin["author"]["handle"] == "ben"
    assert (await version(gus, share, 1))["shared_from"] is None
    assert gus.bodies == ["worth telling"]


async def test_a_share_from_another_room_names_it_to_those_who_are_there(
    world: World, hub: Hub
) -> None:
    ben, cleo, gus = await team_of(world)
    original = await run(world.say, world.public, world.ben, "elsewhere")
    share, _ = await run(original.share, by=world.ben, room=world.team, audience="everyone")
    for client in (ben, cleo):
        assert (await version(client, share, 1))["shared_from"]["room"] == world.public.pk
    assert (await version(gus, share, 1))["shared_from"] is None


async def test_a_share_made_over_the_live_hand_over_is_the_same_as_history(
    world: World, hub: Hub
) -> None:
    """Live and read again later, a message is the same."""
    ben, _, gus = await team_of(world)
    original = await run(world.say, world.team, world.ben, "original", audience=None)
    await run(world.say, world.team, world.cleo, "reply", reply_to=original)
    await run(original.share, by=world.ben, room=world.team, audience="everyone", body="copy")
    await after_all(world, ben, gus)
    for client, user in ((ben, world.ben), (gus, world.gus)):
        fresh = await Client.into(user, world.team.pk)
        again_told = [m for m in fresh.joined["messages"] if m["id"] >= original.pk]
        assert client.messages == again_told


async def test_everything_said_is_encoded_live_as_in_history(world: World, hub: Hub) -> None:
    clients = {
        name: await Client.into(world.people[name], world.support.pk)
        for name in ("ada", "sue", "carl")
    }
    start = await run(Message.objects.order_by("-pk").first)
    await run(world.say, world.support, world.carl, "help! **please**")
    await run(world.note, world.ada, "a note")
    note = await run(Message.objects.order_by("-pk").first)
    await run(world.say, world.support, world.sue, "re", reply_to=note)
    await run(world.whisper, world.support, world.ada, world.carl)
    await run(world.support.update, by=world.ada, name="Renamed", description="more")
    await run(world.support.remove, world.dora, by=world.ada)
    await after_all(world, *clients.values())
    for name, client in clients.items():
        fresh = await Client.into(world.people[name], world.support.pk)
        assert client.messages == [m for m in fresh.joined["messages"] if m["id"] > start.pk]


async def test_pages_get_the_rendered_article(world: World, hub: Hub) -> None:
    page = await Client.into(world.cleo, world.team.pk, render="html")
    plain = await Client.into(world.cleo, world.team.pk)
    message = await run(world.say, world.team, world.ben, "hi **there**")
    told = await version(page, message, 1)
    assert "<strong>there</strong>" in told["article"]
    assert "article" not in await version(plain, message, 1)
    assert {k: v for k, v in told.items() if k != "article"} == await version(plain, message, 1)
    await run(message.edit, "bye", by=world.ben)
    assert "bye" in (await version(page, message, 2))["article"]
    fresh = await Client.into(world.cleo, world.team.pk, render="html")
    newest = fresh.joined["messages"][-1]
    assert newest["article"] == (await version(page, message, 2))["article"]
    later = await Client.of(world.cleo, world.team.pk, render="html", cursor=plain.joined["cursor"])
    await later.frame("synced")
    assert later.messages[-1]["article"] == newest["article"]


async def test_what_is_ready_together_comes_in_one_frame(world: World, hub: Hub) -> None:
    client = await Client.into(world.cleo, world.team.pk)
    drafts = [draft(world, f"line {n}") for n in range(5)]
    await run(Message.objects.post_all, drafts)
    await client.message("line 4")
    (frame,) = client.of_type("messages")
    assert [m["body"] for m in frame["messages"]] == [f"line {n}" for n in range(5)]


async def test_frames_hold_at_most_a_chunk(world: World, hub: Hub) -> None:
    client = await Client.into(world.cleo, world.team.pk)
    await run(Message.objects.post_all, [draft(world, f"line {n}") for n in range(2 * CHUNK + 1)])
    await client.message(f"line {2 * CHUNK}")
    assert [len(f["messages"]) for f in client.of_type("messages")] == [CHUNK, CHUNK, 1]
    assert client.bodies == [f"line {n}" for n in range(2 * CHUNK + 1)]


def draft(world: World, body: str) -> Draft:
    return Draft(room=world.team.pk, author=world.ben, body=body)


# The room


async def test_somebody_who_comes_is_told_as_a_note_and_as_a_person(world: World, hub: Hub) -> None:
    clients = await team_of(world)
    await run(world.team.invite, world.otto, by=world.ben)
    for client in clients:
        frame = await client.frame("room", room=world.team.pk)
        assert [(p["handle"], p["role"]) for p in frame["people"]["added"]] == [("otto", "member")]
        assert frame["people"]["changed"] == frame["people"]["removed"] == []
        assert [m["data"]["event"] for m in client.messages if m["kind"] == "system"] == ["invited"]


async def test_people_in_room_frames_are_as_in_joined(world: World, hub: Hub) -> None:
    client = await Client.into(world.cleo, world.team.pk)
    await run(world.team.invite, world.otto, by=world.ben)
    (added,) = (await client.frame("room"))["people"]["added"]
    fresh = await Client.into(world.cleo, world.team.pk)
    (told,) = [p for p in fresh.joined["people"] if p["handle"] == "otto"]
    assert {k: v for k, v in told.items() if k != "presence"} == {
        k: v for k, v in added.items() if k != "presence"
    }


async def test_somebody_who_goes_is_told(world: World, hub: Hub) -> None:
    ben, _, gus = await team_of(world)
    await run(world.team.remove, world.cleo, by=world.ben)
    await run(world.team.leave, by=world.vic)
    for client in (ben, gus):
        gone = [(await client.frame("room"))["people"]["removed"] for _ in range(2)]
        assert gone == [[world.cleo.pk], [world.vic.pk]]


async def test_a_new_role_is_told(world: World, hub: Hub) -> None:
    clients = await team_of(world)
    await run(world.team.change_role, world.vic, "member", by=world.ben)
    for client in clients:
        frame = await client.frame("room", room=world.team.pk)
        assert [(p["handle"], p["role"]) for p in frame["people"]["changed"]] == [("vic", "member")]
        assert frame["changed"] == {}


async def test_settings_are_told(world: World, hub: Hub) -> None:
    clients = await team_of(world)
    await run(world.team.update, by=world.ben, name="Crew", description="of the ship")
    for client in clients:
        frame = await client.frame("room", room=world.team.pk)
        assert frame["changed"] == {"name": "Crew", "description": "of the ship"}


async def test_closing_and_reopening_are_told(world: World, hub: Hub) -> None:
    clients = await team_of(world)
    await run(world.team.close, by=world.ben, outcome="success", note="done")
    for client in clients:
        frame = await client.frame("room", room=world.team.pk)
        assert frame["changed"]["state"] == "closed"
        assert frame["changed"]["outcome"] == "success"
    await run(world.team.reopen, by=world.ben)
    for client in clients:
        assert (await client.frame("room", room=world.team.pk))["changed"]["state"] == "active"


async def test_an_old_note_that_changes_is_no_news(world: World, hub: Hub) -> None:
    """Or reacting to “ben removed cleo” would remove her from everybody's list once more."""
    await run(world.team.remove, world.cleo, by=world.ben)
    await run(world.team.invite, world.cleo, by=world.ben)
    client = await Client.into(world.gus, world.team.pk)
    notes = [m for m in client.joined["messages"] if m["kind"] == "system"]
    removal = await run(Message.objects.get, pk=notes[-2]["id"])
    await run(removal.react, "👋", by=world.gus)
    assert (await version(client, removal, 2))["reactions"]
    await after_all(world, client)
    assert client.of_type("room") == []


def _staff_comes_and_goes(world: World) -> None:
    support = world.support
    support.join(by=world.amy)
    support.remove(world.amy, by=world.sue)
    support.change_role(world.sue, "agent", by=world.ada)
    support.change_role(world.sue, "supervisor", by=world.ada)


async def test_customers_hear_of_no_staff_coming_and_going(world: World, hub: Hub) -> None:
    carl = await Client.into(world.carl, world.support.pk)
    ada = await Client.into(world.ada, world.support.pk)
    await run(_staff_comes_and_goes, world)
    await after_all(world, ada, carl)
    assert len(ada.of_type("room")) == 4
    assert carl.bodies == ["after all"]
    told = [f["type"] for f in carl.frames if f["type"] not in ("presence", "notification")]
    assert told == ["messages"]


async def test_customers_hear_of_customers(world: World, hub: Hub) -> None:
    carl = await Client.into(world.carl, world.support.pk)
    await run(world.support.leave, by=world.dora)
    assert (await carl.frame("room"))["people"]["removed"] == [world.dora.pk]


@pytest.mark.parametrize("name", ["ada", "carl"])
async def test_the_end_of_a_support_room_is_told(world: World, hub: Hub, name: str) -> None:
    client = await Client.into(world.people[name], world.support.pk)
    await run(world.support.close, by=world.ada, outcome="negative", note="not nice at all")
    await run(world.support.reopen, by=world.ada)
    await after_all(world, client)
    states = [frame["changed"]["state"] for frame in client.of_type("room")]
    assert states[0] == "closed"
    assert states[-1] == "active"
    assert ("not nice" in str(client.frames)) == (name == "ada")
