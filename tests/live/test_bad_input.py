"""What clients must not send: each is refused by its name, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from live.database import run
from live.hub import Hub
from messages.models import Message
from rooms.models import Participant
from tests.live.client import Client
from tests.world import World

UUID = "0198f7a0-0000-7000-8000-000000000001"
KIB = 1024


def everything() -> list[Any]:
    """All that a frame could change."""
    return [
        list(Message.objects.order_by("pk").values()),
        list(Participant.objects.order_by("pk").values()),
    ]


@pytest.fixture
async def cleo(world: World, hub: Hub, settings) -> Client:
    """She may err as often as she likes."""
    settings.CHAT_SOCKET_REFUSALS = 1_000
    return await Client.into(world.cleo, world.team.pk)


async def refused(client: Client, text: str, code: str = "invalid") -> dict[str, Any]:
    """Exactly one error answers this frame, nothing changes, and the socket goes on."""
    before = await run(everything)
    await client.send_text(text)
    error = await client.error(code)
    assert error.keys() >= {"type", "code", "message", "retryable"}
    assert error["message"]
    await client.settle()
    assert client.frames == []
    assert client.closed is None
    assert await run(everything) == before
    return error


# Not even a frame


@pytest.mark.parametrize("data", [b"", b"{}", b'{"type":"ping"}', b"\x00\xff"])
async def test_binary_frames_are_refused(cleo: Client, data: bytes) -> None:
    await cleo.send_bytes(data)
    await cleo.error("invalid")
    await cleo.settle()
    assert cleo.frames == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "nonsense",
        "{'type': 'ping'}",
        '{"type": "ping"}{"type": "ping"}',
        '{"type": "ping",}',
        '{"type": "ping", "t": NaN}',
        "\ufeff{}",
        "\x00",
        "[" * 100_000,
        '{"type": "ping", "t": ' + "[" * 2_000 + "]" * 2_000 + "}",
        '{"type": "ping", "t": "\\ud800"}',
        '{"type": "ping", "t": "\ud800"}',
        '{"type": "ping", "t": "\n"}',
    ],
)
async def test_what_is_not_json_is_refused(cleo: Client, text: str) -> None:
    await refused(cleo, text)


@pytest.mark.parametrize("text", ["null", "1", '"ping"', "[]", '[{"type": "ping"}]', "true"])
async def test_what_is_not_an_object_is_refused(cleo: Client, text: str) -> None:
    await refused(cleo, text)


@pytest.mark.parametrize(
    "kind",
    [None, 1, True, [], {}, "", "Ping", "ping ", "hello", "__init__", "x" * 999],
)
async def test_frames_nobody_knows_are_refused(cleo: Client, kind: Any) -> None:
    await refused(cleo, json.dumps({"type": kind}), "unknown_type")


async def test_a_frame_without_a_type_is_refused(cleo: Client) -> None:
    await refused(cleo, "{}", "unknown_type")


# Fields

IDS: list[Any] = [0, -1, 2**63, 2**64, 2**80, True, False, 1.0, 1.5, "1", "", [], {}, [1], 1e308]
NO_TEXT: list[Any] = [0, 1, True, 1.5, [], {}, ["x"]]
NO_IDS: list[Any] = [1, "1", {}, True, [0], [-1], ["1"], [None], [[1]], [1.0], [True], [2**63]]


def mistakes() -> Iterator[tuple[str, str, Any]]:
    """A frame, its field, and what that must not be. None stands for a field left out."""
    for kind in ("join", "leave", "post", "typing", "read"):
        yield kind, "room", None
        yield from ((kind, "room", wrong) for wrong in IDS)
    yield "read", "message", None
    yield from (("read", "message", wrong) for wrong in IDS)
    yield from (("post", "reply_to", wrong) for wrong in IDS)
    yield from (("join", "cursor", wrong) for wrong in NO_TEXT)
    for kind in ("post", "typing"):
        yield from ((kind, "audience", wrong) for wrong in NO_TEXT)
        yield from ((kind, "to", wrong) for wrong in NO_IDS)
    yield from (("post", "attachments", wrong) for wrong in NO_IDS)
    yield from (("post", "to", [1] * n) for n in (1_001, 20_000))
    yield from (("post", "body", wrong) for wrong in [None, *NO_TEXT])
    wrong_uuids = [None, *NO_TEXT, "", "x", UUID[:-1], UUID + "0", "\x00"]
    yield from (("post", "client_id", wrong) for wrong in wrong_uuids)
    yield from (("presence", "state", wrong) for wrong in [None, *NO_TEXT, "online", "", "AWAY"])


async def test_every_field_of_every_frame_is_checked(world: World, hub: Hub, settings) -> None:
    """One socket for all of them: a socket a mistake would take minutes."""
    settings.CHAT_THROTTLES = False
    client = await Client.into(world.cleo, world.team.pk)
    right: dict[str, dict[str, Any]] = {
        "join": {"room": world.team.pk},
        "leave": {"room": world.team.pk},
        "post": {"room": world.team.pk, "client_id": UUID, "body": "hello"},
        "typing": {"room": world.team.pk},
        "read": {"room": world.team.pk, "message": 1},
        "presence": {"state": "away"},
    }
    before = await run(everything)
    for kind, field, wrong in mistakes():
        frame = {"type": kind, **right[kind], field: wrong}
        await client.send_text(json.dumps(frame))
        error = await client.error("invalid")
        assert field in error["details"], (frame, error)
        await client.settle()
        assert client.frames == [], frame
    assert client.closed is None
    assert await run(everything) == before


async def test_a_field_that_is_null_is_as_if_absent(world: World, cleo: Client) -> None:
    nothing = dict.fromkeys(["audience", "to", "reply_to", "attachments"])
    posted = await cleo.post(world.team.pk, "hello", **nothing)
    assert posted["message"]["audience"] == "everyone"


async def test_fields_nobody_knows_do_no_harm(world: World, cleo: Client) -> None:
    await cleo.post(world.team.pk, "hello", shared_from=1, author=world.ben.pk, status="streaming")
    message = await run(Message.objects.select_related("author").order_by("-pk").first)
    assert (message.author, message.status) == (world.cleo, "complete")
    assert message.shared_from_id is None


async def test_errors_name_what_was_refused_as_it_was_sent(world: World, cleo: Client) -> None:
    frame = {"type": "post", "room": world.team.pk, "client_id": "mine", "body": "x"}
    error = await refused(cleo, json.dumps(frame))
    assert (error["client_id"], error["room"]) == ("mine", world.team.pk)
    frame = {"type": "post", "room": [1], "client_id": {"a": 1}, "body": "x"}
    error = await refused(cleo, json.dumps(frame))
    assert not error.keys() & {"client_id", "room"}


# Sizes


def post_of(room: int, body: str) -> str:
    frame = {"type": "post", "room": room, "client_id": str(uuid4()), "body": body}
    return json.dumps(frame, ensure_ascii=False)


async def test_frames_over_256_kib_are_refused(world: World, cleo: Client) -> None:
    spare = 256 * KIB - len('{"type":"ping","t":""}')
    await cleo.send_text('{"type":"ping","t":"' + "x" * spare + '"}')
    await cleo.frame("pong")
    await refused(cleo, '{"type":"ping","t":"' + "x" * (spare + 1) + '"}', "too_large")
    await refused(cleo, post_of(world.team.pk, "é" * 128 * KIB), "too_large")
    await refused(cleo, "x" * 10_000_000, "too_large")


async def test_the_error_of_a_large_frame_is_small(world: World, cleo: Client) -> None:
    frame = {"type": "post", "room": 1, "client_id": "x" * 200_000, "body": ""}
    error = await refused(cleo, json.dumps(frame))
    assert len(json.dumps(error)) < 2_000


async def test_a_message_has_at_most_16_000_code_points(world: World, cleo: Client) -> None:
    for body in ("x" * 16_000, "🎈" * 16_000):
        posted = await cleo.post(world.team.pk, body)
        assert posted["message"]["body"] == body
        await cleo.frame("messages")
        await refused(cleo, post_of(world.team.pk, body + body[0]))


@pytest.mark.parametrize("body", ["", " ", "\n\t ", "\u0000", "a\u0000b", "\u2028"])
async def test_what_says_nothing_or_is_no_text_is_refused(
    world: World, cleo: Client, body: str
) -> None:
    error = await refused(cleo, json.dumps(json.loads(post_of(world.team.pk, body))))
    assert "body" in error["details"]
    assert error["client_id"]
    assert error["room"] == world.team.pk


@pytest.mark.parametrize("audience", ["", "\u0000", "all", "staff", "only"])
async def test_audiences_that_are_none_are_refused(
    world: World, cleo: Client, audience: str
) -> None:
    frame = {"type": "post", "room": world.team.pk, "client_id": UUID, "body": "x"}
    frame["audience"] = audience
    await refused(cleo, json.dumps(frame))


@pytest.mark.parametrize("field", ["reply_to", "attachments", "to"])
async def test_what_is_not_there_is_refused(world: World, cleo: Client, field: str) -> None:
    wrong: Any = 2**63 - 1 if field == "reply_to" else [2**63 - 1]
    frame: dict[str, Any] = {"type": "post", "room": world.team.pk, "client_id": UUID, "body": "x"}
    if field == "to":
        frame["audience"] = "only"
    before = await run(everything)
    await cleo.send_text(json.dumps({**frame, field: wrong}))
    error = await cleo.frame("error", client_id=UUID)
    assert error["code"] in ("not_found", "invalid")
    assert not error["retryable"]
    assert await run(everything) == before


@pytest.mark.parametrize("room", [2**63 - 1, 999_999])
async def test_rooms_that_are_not_there_are_not_found(cleo: Client, room: int) -> None:
    for kind, fields in {
        "join": {},
        "post": {"client_id": UUID, "body": "x"},
        "typing": {},
        "read": {"message": 2**63 - 1},
    }.items():
        await refused(cleo, json.dumps({"type": kind, "room": room, **fields}), "not_found")


async def test_any_ping_is_answered(cleo: Client) -> None:
    deep: Any = "x"
    for _ in range(250):
        deep = [deep]
    for t in ("", "é🎈", 0, -1, 2**63, 1.5, True, [1, [2]], {"a": {"b": None}}, None, deep):
        await cleo.send("ping", t=t)
        assert (await cleo.frame("pong"))["t"] == t
    await cleo.send_text('{"type": "ping"}')
    assert (await cleo.frame("pong"))["t"] is None


async def test_a_ping_too_deep_to_answer_is_refused(cleo: Client) -> None:
    text = '{"type": "ping", "t": ' + "[" * 600 + "]" * 600 + "}"
    await refused(cleo, text)


# Too much


async def test_a_flood_is_refused_with_a_hint_when_to_go_on(
    world: World, hub: Hub, settings
) -> None:
    settings.CHAT_SOCKET_REFUSALS = 1_000
    settings.CHAT_POST_RATE, settings.CHAT_POST_BURST = 0.001, 5
    cleo = await Client.into(world.cleo, world.team.pk)
    for n in range(7):
        await cleo.send_text(post_of(world.team.pk, f"line {n}"))
    errors = [await cleo.error("rate_limited") for _ in range(2)]
    for error in errors:
        assert error["retryable"]
        assert error["details"]["retry_after"] > 0
        assert error["room"] == world.team.pk
        assert error["client_id"]
    for _ in range(5):
        await cleo.frame("posted")
    await cleo.settle()  # frames of another kind have a measure of their own
    assert await run(Message.objects.filter(author=world.cleo).count) == 5


async def test_the_measure_is_a_persons_not_a_sockets(world: World, hub: Hub, settings) -> None:
    settings.CHAT_POST_RATE, settings.CHAT_POST_BURST = 0.001, 1
    first, second = [await Client.into(world.cleo, world.team.pk) for _ in range(2)]
    ben = await Client.into(world.ben, world.team.pk)
    await first.post(world.team.pk, "one")
    await second.send_text(post_of(world.team.pk, "two"))
    await second.error("rate_limited")
    await ben.post(world.team.pk, "of another")


async def test_other_frames_are_measured_too(world: World, hub: Hub, settings) -> None:
    settings.CHAT_CALL_RATE, settings.CHAT_CALL_BURST = 0.001, 3
    cleo = await Client.into(world.cleo, world.team.pk)
    for _ in range(4):
        await cleo.send("ping")
    await cleo.error("rate_limited")
    await cleo.post(world.team.pk, "posts have a measure of their own")


async def test_without_throttles_nothing_is_limited(world: World, hub: Hub, settings) -> None:
    settings.CHAT_THROTTLES = False
    settings.CHAT_POST_BURST = settings.CHAT_CALL_BURST = 1
    cleo = await Client.into(world.cleo, world.team.pk)
    for _ in range(20):
        await cleo.send_text("nonsense")
        await cleo.error("invalid")
    for n in range(5):
        await cleo.post(world.team.pk, f"line {n}")
    assert cleo.closed is None


async def test_the_eleventh_refused_frame_in_a_minute_ends_it(
    world: World, hub: Hub, settings
) -> None:
    assert settings.CHAT_SOCKET_REFUSALS == 10
    cleo, ben = [await Client.into(user, world.team.pk) for user in (world.cleo, world.ben)]
    for _ in range(10):
        await cleo.send_text("nonsense")
        await cleo.error("invalid")
    await cleo.settle()
    await cleo.send_text("nonsense")
    assert await cleo.bye("misbehaving") == 4029
    await ben.settle()
    assert ben.closed is None


async def test_refusals_are_forgotten_after_a_minute(
    world: World, hub: Hub, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_SOCKET_REFUSALS = 2
    monkeypatch.setattr("live.consumer.OFFENCES_REMEMBERED", -1.0)
    cleo = await Client.into(world.cleo, world.team.pk)
    for _ in range(10):
        await cleo.send_text("nonsense")
        await cleo.error("invalid")
    await cleo.settle()
    assert cleo.closed is None


async def test_being_told_that_a_room_is_closed_is_no_misbehaviour(world: World, hub: Hub) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    await run(world.team.close, by=world.ben)
    for n in range(15):
        await cleo.send_text(post_of(world.team.pk, f"line {n}"))
        await cleo.error("room_closed")
    await cleo.settle()
    assert cleo.closed is None
