"""The API of messages: history, feed, posting, and what is done to a message."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messages import cursor as cursors
from messages.api.shapes import MessageSerializer, PostedSerializer
from messages.models import Attachment, Message
from rooms.models import Room
from tests.callers import TOO_LARGE, Caller, answered, code
from tests.rooms.test_api_rooms import everybody, expected
from tests.world import World


def bodies(response: Any) -> list[str]:
    """What people said: notes of the system left out."""
    return [m["body"] for m in response.json()["messages"] if m["kind"] == "text"]


def history(caller: Caller, room: Room, **query: Any) -> Any:
    return caller.get(f"rooms/{room.pk}/messages/", **query)


# Posting


def test_a_posted_message_has_the_keys_its_schema_declares(world: World) -> None:
    original = world.say(world.team, world.cleo, "*Hello*")
    response = Caller(world.ben).say(world.team.pk, "Hi @cleo", reply_to=original.pk)
    assert response.status_code == 201
    posted = response.json()
    fields = PostedSerializer().fields
    assert set(posted) == set(fields)
    for name in ("author", "reply_to"):
        assert set(posted[name]) == set(fields[name].fields), name
    assert posted["replayed"] is False
    assert posted["reply_to"]["excerpt"] == "Hello"
    assert (posted["author"]["handle"], posted["author"]["role"]) == ("ben", "owner")
    assert (posted["audience"], posted["to"], posted["version"]) == ("everyone", [], 1)
    read = Caller(world.ben).get(f"messages/{posted['id']}/").json()
    assert list(read) == list(MessageSerializer().fields)
    assert {**read, "replayed": False} == posted


def test_parts_of_a_message_have_the_keys_their_schemas_declare(world: World) -> None:
    ben = Caller(world.ben)
    file = ben.upload(f"rooms/{world.team.pk}/attachments/", file=_file()).json()
    posted = ben.say(world.team.pk, attachments=[file["id"]]).json()
    shared = ben.post(
        f"messages/{posted['id']}/share/", client_id=str(uuid4()), audience="everyone"
    ).json()
    ben.react(shared["id"], "👍")
    message = ben.get(f"messages/{shared['id']}/").json()
    fields = MessageSerializer().fields
    assert set(message["shared_from"]) == set(fields["shared_from"].fields)
    assert set(message["attachments"][0]) == set(fields["attachments"].child.fields)
    assert set(message["reactions"][0]) == set(fields["reactions"].child.fields)


def test_who_may_post_where(world: World) -> None:
    def posting(room: Room) -> dict[str, Any]:
        return everybody(world, lambda caller: caller.say(room.pk))

    def answers(**who: str) -> dict[str, Any]:
        return {
            name: 201 if answer == 200 else answer
            for name, answer in expected(otherwise="not_found", **who).items()
        }

    assert posting(world.team) == answers(yes="ben cleo gus", forbidden="vic")
    assert posting(world.support) == answers(yes="sue ada carl dora")
    assert posting(world.public) == answers(yes="ben cleo")
    assert posting(world.direct) == answers(yes="ben cleo")


@pytest.mark.parametrize("room", ["0", "999999999", str(TOO_LARGE), "9" * 30, "x"])
@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "messages/", None),
        ("POST", "messages/", {"client_id": str(uuid4()), "body": "x"}),
        ("POST", "read/", {"message": 1}),
        ("POST", "unread/", {"message": 1}),
    ],
)
def test_there_is_nothing_in_a_room_that_is_not_there(
    world: World, room: str, method: str, rest: str, body: Any
) -> None:
    response = Caller(world.ben).send(method, f"rooms/{room}/{rest}", body)
    assert answered(response) == (404, "not_found")


def test_the_same_post_again_is_the_same_message(world: World) -> None:
    ben, sent = (
        Caller(world.ben),
        {"client_id": str(uuid4()), "body": "once", "to": [], "audience": "everyone"},
    )
    first = ben.post(f"rooms/{world.team.pk}/messages/", **sent)
    again = ben.post(f"rooms/{world.team.pk}/messages/", **sent)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "replayed": True}
    other = ben.post(f"rooms/{world.team.pk}/messages/", **{**sent, "body": "twice"})
    assert answered(other) == (409, "idempotency_conflict")
    assert bodies(history(ben, world.team)) == ["once"]
    elsewhere = ben.post(f"rooms/{world.public.pk}/messages/", **sent)
    assert elsewhere.status_code == 201, "a client_id is unique in its room"
    assert Caller(world.cleo).post(f"rooms/{world.team.pk}/messages/", **sent).status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_id", None),
        ("client_id", 5),
        ("client_id", "five"),
        ("client_id", "\ud800"),
        ("body", None),
        ("body", 5),
        ("body", ["x"]),
        ("body", ""),
        ("body", " \n\t"),
        ("body", "x" * 16_001),
        ("body", "😀" * 16_001),
        ("body", "a\0b"),
        ("body", "a\ud800b"),
        ("body", "a\udfff"),
        ("audience", "all"),
        ("audience", "\ud800"),
        ("audience", 1),
        ("audience", ["everyone"]),
        ("audience", "staff"),
        ("audience", "only"),
        ("to", "ben"),
        ("to", 1),
        ("to", ["1"]),
        ("to", [None]),
        ("to", [TOO_LARGE]),
        ("to", [1.5]),
        ("to", [{}]),
        ("to", list(range(1, 1002))),
        ("reply_to", "1"),
        ("reply_to", TOO_LARGE),
        ("reply_to", -1),
        ("reply_to", False),
        ("attachments", {}),
        ("attachments", [TOO_LARGE]),
        ("attachments", list(range(1, 12))),
    ],
)
def test_a_wrong_post_is_refused_by_field_and_leaves_nothing(
    world: World, field: str, value: Any
) -> None:
    before = Room.objects.get(pk=world.team.pk).revision
    response = Caller(world.ben).say(world.team.pk, **{field: value})
    assert answered(response) == (400, "invalid")
    details = response.json()["error"]["details"]
    assert set(details) == {"to" if (field, value) == ("audience", "only") else field}
    assert Room.objects.get(pk=world.team.pk).revision == before


@pytest.mark.parametrize("missing", ["client_id", "body"])
def test_a_post_that_lacks_something_says_what(world: World, missing: str) -> None:
    sent = {"client_id": str(uuid4()), "body": "x"}
    del sent[missing]
    response = Caller(world.ben).post(f"rooms/{world.team.pk}/messages/", **sent)
    assert answered(response) == (400, "invalid")
    assert set(response.json()["error"]["details"]) == {missing}


@pytest.mark.parametrize("body", [[], "hello", 7, True, [{"body": "x"}]])
def test_a_post_that_is_no_object_is_refused(world: World, body: Any) -> None:
    response = Caller(world.ben).send("POST", f"rooms/{world.team.pk}/messages/", body)
    assert answered(response) == (400, "invalid")


def test_sixteen_thousand_emoji_are_a_message(world: World) -> None:
    body = "😀" * 16_000
    response = Caller(world.ben).say(world.team.pk, body)
    assert response.status_code == 201
    assert response.json()["body"] == body


def test_a_body_keeps_its_spaces(world: World) -> None:
    body = "    code\n\n  more  \n"
    assert Caller(world.ben).say(world.team.pk, body).json()["body"] == body


def test_whispers_reach_only_whom_they_name(world: World) -> None:
    ben = Caller(world.ben)
    whisper = ben.say(
        world.team.pk, "psst", audience="only", to=[world.cleo.pk, world.cleo.pk]
    ).json()
    assert (whisper["audience"], whisper["to"]) == ("only", [world.cleo.pk])
    reading = everybody(world, lambda caller: caller.get(f"messages/{whisper['id']}/"))
    assert reading == expected(yes="ben cleo", otherwise="not_found")
    for to in ([world.otto.pk], [10**9], [2**63 - 1], []):
        response = ben.say(world.team.pk, "psst", audience="only", to=to)
        assert answered(response) == (400, "invalid")
    assert answered(ben.say(world.team.pk, audience="everyone", to=[world.cleo.pk])) == (
        400,
        "invalid",
    )


def test_a_customer_chooses_no_audience(world: World) -> None:
    carl = Caller(world.carl)
    assert answered(carl.say(world.support.pk, audience="staff")) == (403, "forbidden")
    assert answered(carl.say(world.support.pk, audience="only", to=[world.ada.pk])) == (
        403,
        "forbidden",
    )
    assert carl.say(world.support.pk, audience="everyone").status_code == 201


def test_one_replies_only_to_what_one_sees(world: World) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo)
    elsewhere = world.say(world.public, world.ben)
    gus = Caller(world.gus)
    for hidden in (whisper.pk, elsewhere.pk, 10**9, 2**63 - 1):
        assert answered(gus.say(world.team.pk, reply_to=hidden)) == (404, "not_found")
    assert answered(Caller(world.ben).say(world.team.pk, reply_to=elsewhere.pk)) == (
        404,
        "not_found",
    )
    answer = Caller(world.cleo).say(world.team.pk, "mhm", reply_to=whisper.pk).json()
    assert (answer["audience"], answer["to"]) == ("only", [world.ben.pk])


def test_a_closed_room_takes_nothing_but_a_customers_word(world: World) -> None:
    world.team.close(by=world.ben)
    ben = Caller(world.ben)
    assert answered(ben.say(world.team.pk)) == (409, "room_closed")
    assert answered(ben.upload(f"rooms/{world.team.pk}/attachments/", file=_file())) == (
        409,
        "room_closed",
    )
    world.team.archive(by=world.ben)
    assert answered(ben.say(world.team.pk)) == (409, "room_archived")
    world.support.close(by=world.ada)
    assert answered(Caller(world.ada).say(world.support.pk)) == (409, "room_closed")
    carl = Caller(world.carl)
    file = carl.upload(f"rooms/{world.support.pk}/attachments/", file=_file())
    assert file.status_code == 201
    assert carl.say(world.support.pk, "again", attachments=[file.json()["id"]]).status_code == 201
    assert Room.objects.get(pk=world.support.pk).state == "active"


def test_posting_is_limited_and_reading_is_not(world: World, settings: Any) -> None:
    settings.CHAT_THROTTLES, settings.CHAT_POST_BURST, settings.CHAT_POST_RATE = True, 2, 0.1
    ben = Caller(world.ben)
    answers = [ben.say(world.team.pk) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert code(answers[-1]) == "rate_limited"
    assert int(answers[-1]["Retry-After"]) > 0
    assert answers[-1].json()["error"]["retryable"] is True
    assert history(ben, world.team).status_code == 200


# History


def test_who_may_read_history(world: World) -> None:
    def reading(room: Room) -> dict[str, Any]:
        return everybody(world, lambda caller: history(caller, room))

    assert reading(world.team) == expected(yes="ben cleo vic gus", otherwise="not_found")
    assert reading(world.public) == expected(yes="ben cleo", otherwise="not_found")
    assert reading(world.support) == expected(yes="sue ada carl dora", otherwise="not_found")


def test_everybody_reads_what_they_may(world: World) -> None:
    world.say(world.support, world.carl, "help")
    world.note(world.ada, "hm")
    world.whisper(world.support, world.sue, world.ada, body="psst")
    found = {
        name: bodies(history(Caller(world.people[name]), world.support))
        for name in ("ada", "sue", "carl", "dora")
    }
    assert found["ada"] == found["sue"] == ["help", "hm", "psst"]
    assert found["carl"] == found["dora"] == ["help"]


def test_history_is_paged_both_ways(world: World) -> None:
    room = Room.objects.open("Long", by=world.ben)
    ids = [world.say(room, world.ben, f"m{number}").pk for number in range(10)]
    ben = Caller(world.ben)

    def part(**query: Any) -> tuple[list[str], bool, bool]:
        answer = history(ben, room, **query)
        return bodies(answer), answer.json()["has_older"], answer.json()["has_newer"]

    assert part(limit=3) == (["m7", "m8", "m9"], True, False)
    assert part(before=ids[7], limit=3) == (["m4", "m5", "m6"], True, True)
    assert part(before=ids[2], limit=3) == (["m0", "m1"], False, True)
    assert part(after=ids[2], limit=3) == (["m3", "m4", "m5"], True, True)
    assert part(after=ids[8], limit=3) == (["m9"], True, False)
    assert part(after=0, limit=2) == (["m0", "m1"], False, True)
    assert part(before=2**63 - 1, limit=2) == (["m8", "m9"], True, False)
    assert part(around=ids[5], limit=4) == (["m3", "m4", "m5", "m6"], True, True)
    assert part() == ([f"m{number}" for number in range(10)], False, False)
    moment = Message.objects.get(pk=ids[5]).created_at
    assert part(at=moment.isoformat(), limit=4) == (["m3", "m4", "m5", "m6"], True, True)
    assert part(at=(moment + timedelta(1)).isoformat(), limit=2) == (["m8", "m9"], True, False)


@pytest.mark.parametrize(
    "query",
    [
        {"before": "x"},
        {"before": str(TOO_LARGE)},
        {"after": "-1"},
        {"around": "1.5"},
        {"around": ""},
        {"at": ""},
        {"at": "yesterday"},
        {"at": "2026-02-30T00:00:00Z"},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "x"},
        {"limit": "9" * 2000},
        {"render": "pdf"},
        {"cursor": "a\0"},
    ],
)
def test_history_asked_for_wrongly_says_what_is_wrong(world: World, query: dict[str, str]) -> None:
    response = history(Caller(world.ben), world.team, **query)
    assert answered(response) == (400, "invalid")
    assert set(response.json()["error"]["details"]) == set(query)


def test_history_starts_from_one_place(world: World) -> None:
    ben = Caller(world.ben)
    for other in ({"after": 3}, {"at": "2026-03-01T00:00:00Z"}):
        assert answered(history(ben, world.team, before=5, **other)) == (400, "invalid")


def test_pages_ask_for_the_rendered_article(world: World) -> None:
    world.say(world.team, world.cleo, "**bold**")
    ben = Caller(world.ben)
    (*_, last) = history(ben, world.team, render="html").json()["messages"]
    assert "<strong>bold</strong>" in last["article"]
    assert "article" not in history(ben, world.team).json()["messages"][-1]
    assert "<article" in ben.get(f"messages/{last['id']}/", render="html").json()["article"]


# The feed


def since(caller: Caller, room: Room, cursor: str, **query: Any) -> Any:
    return history(caller, room, cursor=cursor, **query).json()


def test_what_changed_since_a_cursor_is_told_once(world: World) -> None:
    first = world.say(world.team, world.ben, "first")
    cleo = Caller(world.cleo)
    cursor = history(cleo, world.team).json()["cursor"]
    assert since(cleo, world.team, cursor)["messages"] == []
    world.say(world.team, world.ben, "second")
    first.edit("first, edited", by=world.ben)
    world.whisper(world.team, world.ben, world.gus)
    told = since(cleo, world.team, cursor)
    assert [m["body"] for m in told["messages"]] == ["second", "first, edited"]
    assert told["has_newer"] is False
    first.remove(by=world.ben)
    (gone,) = since(cleo, world.team, told["cursor"])["messages"]
    assert (gone["id"], gone["body"], gone["html"]) == (first.pk, "", "")
    assert gone["deleted_at"]


def test_the_feed_comes_in_pages(world: World) -> None:
    cleo = Caller(world.cleo)
    cursor = history(cleo, world.team).json()["cursor"]
    said = [world.say(world.team, world.ben, f"m{number}").body for number in range(5)]
    heard: list[str] = []
    while True:
        told = since(cleo, world.team, cursor, limit=2)
        heard += [m["body"] for m in told["messages"]]
        cursor = told["cursor"]
        if not told["has_newer"]:
            break
    assert heard == said


def test_a_cursor_that_is_no_good_starts_over(world: World, settings: Any) -> None:
    cleo = Caller(world.cleo)
    cursor = history(cleo, world.team).json()["cursor"]
    of_another_room = history(cleo, world.public).json()["cursor"]
    from_the_future = cursors.seal(world.team.pk, 10**6)
    for wrong in (
        "x",
        "",
        "x" * 5000,
        "é",
        cursor[:-4],
        "A" * 64,
        of_another_room,
        from_the_future,
    ):
        assert since(cleo, world.team, wrong) == {"reset": True}, wrong
    world.team.change_role(world.cleo, "viewer", by=world.ben)
    assert since(cleo, world.team, cursor) == {"reset": True}, "what she may see has changed"
    cursor = history(cleo, world.team).json()["cursor"]
    settings.CHAT_CATCH_UP_MAX = 3
    for _ in range(3):
        world.say(world.team, world.ben)
        world.whisper(world.team, world.ben, world.gus)
    assert len(since(cleo, world.team, cursor)["messages"]) == 3, (
        "what she may not see counts for nothing"
    )
    assert "reset" not in since(cleo, world.team, cursor, limit=1)
    world.say(world.team, world.ben)
    assert since(cleo, world.team, cursor, limit=1) == {"reset": True}


# One message


@pytest.mark.parametrize("message", ["0", "999999999", str(TOO_LARGE), "9" * 30, "x"])
@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"body": "x"}),
        ("DELETE", "", None),
        ("POST", "share/", {"client_id": str(uuid4()), "audience": "everyone"}),
        ("POST", "actions/", {"action": "x", "version": 1}),
        ("PUT", "reactions/👍/", None),
        ("DELETE", "reactions/👍/", None),
        ("GET", "earlier/", None),
    ],
)
def test_a_message_that_is_not_there_is_404(
    world: World, message: str, method: str, rest: str, body: Any
) -> None:
    assert answered(Caller(world.ben).send(method, f"messages/{message}/{rest}", body)) == (
        404,
        "not_found",
    )


def test_nothing_is_done_to_a_message_one_cannot_see(world: World) -> None:
    message = world.whisper(world.team, world.ben, world.cleo)
    gus = Caller(world.gus)
    acts = [
        gus.get(f"messages/{message.pk}/"),
        gus.patch(f"messages/{message.pk}/", body="mine"),
        gus.delete(f"messages/{message.pk}/"),
        gus.post(f"messages/{message.pk}/share/", client_id=str(uuid4()), audience="everyone"),
        gus.post(f"messages/{message.pk}/actions/", action="x", version=1),
        gus.react(message.pk, "👍"),
        gus.delete(f"messages/{message.pk}/reactions/👍/"),
        gus.get(f"messages/{message.pk}/earlier/"),
        gus.post(f"rooms/{world.team.pk}/read/", message=message.pk),
        gus.post(f"rooms/{world.team.pk}/unread/", message=message.pk),
    ]
    assert [answered(act) for act in acts] == [(404, "not_found")] * len(acts)
    before = message.version
    message.refresh_from_db()
    assert message.version == before


def test_one_edits_ones_own_message(world: World, settings: Any) -> None:
    message = world.say(world.team, world.cleo, "helo")
    path = f"messages/{message.pk}/"
    edited = Caller(world.cleo).patch(path, body="hello").json()
    assert (edited["body"], edited["version"]) == ("hello", 2)
    assert edited["edited_at"]
    assert answered(Caller(world.ben).patch(path, body="no")) == (403, "forbidden")
    for wrong in ("", 5, None, "x" * 16_001, "\ud800"):
        assert answered(Caller(world.cleo).patch(path, body=wrong)) == (400, "invalid")
    assert answered(Caller(world.cleo).patch(path)) == (400, "invalid")
    settings.CHAT_EDIT_WINDOW = settings.CHAT_EDIT_WINDOW * 0
    assert answered(Caller(world.cleo).patch(path, body="late")) == (403, "forbidden")


def test_earlier_texts_are_for_those_who_manage_the_room(world: World) -> None:
    message = world.say(world.team, world.cleo, "one")
    message.edit("two", by=world.cleo)
    message.edit("three", by=world.cleo)
    path = f"messages/{message.pk}/earlier/"
    texts = Caller(world.ben).get(path).json()
    assert [text["body"] for text in texts["results"]] == ["one", "two"]
    assert texts["next"] is None
    reading = everybody(world, lambda caller: caller.get(path))
    assert reading == expected(yes="ben", forbidden="cleo vic gus", otherwise="not_found")


def test_a_deleted_message_leaves_a_tombstone(world: World) -> None:
    message = world.say(world.team, world.cleo, "oops")
    path = f"messages/{message.pk}/"
    assert answered(Caller(world.vic).delete(path)) == (403, "forbidden")
    assert Caller(world.cleo).delete(path).status_code == 204
    assert Caller(world.cleo).delete(path).status_code == 204, "twice is once"
    tombstone = Caller(world.vic).get(path).json()
    assert (tombstone["body"], tombstone["html"], tombstone["attachments"]) == ("", "", [])
    assert set(tombstone) == set(MessageSerializer().fields)
    assert answered(Caller(world.cleo).patch(path, body="x")) == (409, "message_deleted")
    assert answered(Caller(world.cleo).react(message.pk, "👍")) == (409, "message_deleted")


def test_a_message_is_shared_to_those_who_could_not_see_it(world: World) -> None:
    note = world.note(world.ada, "Refund is fine")
    sent = {"client_id": str(uuid4()), "audience": "everyone", "body": "A refund is fine."}
    path = f"messages/{note.pk}/share/"
    response = Caller(world.ada).post(path, **sent)
    assert response.status_code == 201
    shared = response.json()
    assert (shared["body"], shared["audience"]) == ("A refund is fine.", "everyone")
    assert shared["shared_from"]["message"] == note.pk
    again = Caller(world.ada).post(path, **sent)
    assert (again.status_code, again.json()["replayed"], again.json()["id"]) == (
        200,
        True,
        shared["id"],
    )
    assert answered(Caller(world.ada).post(path, **{**sent, "body": "No."})) == (
        409,
        "idempotency_conflict",
    )
    seen = Caller(world.carl).get(f"messages/{shared['id']}/").json()
    assert (seen["body"], seen["shared_from"]) == ("A refund is fine.", None)
    assert answered(Caller(world.carl).post(path, **sent)) == (404, "not_found")


def test_whereto_one_may_share(world: World) -> None:
    message = world.say(world.team, world.ben, "news")
    path = f"messages/{message.pk}/share/"

    def share(who: User, **how: Any) -> Any:
        return Caller(who).post(path, **{"client_id": str(uuid4()), "audience": "everyone", **how})

    assert share(world.ben, room=world.public.pk).json()["room"] == world.public.pk
    for foreign in (world.support.pk, 10**9, 2**63 - 1):
        assert answered(share(world.ben, room=foreign)) == (404, "not_found")
    assert answered(share(world.vic)) == (403, "forbidden")
    assert answered(share(world.gus)) == (403, "forbidden")
    for wrong in (
        {"room": TOO_LARGE},
        {"room": "1"},
        {"audience": None},
        {"audience": "x"},
        {"body": 5},
        {"client_id": 1},
    ):
        assert answered(share(world.ben, **wrong)) == (400, "invalid")


def test_reactions_are_put_and_taken(world: World) -> None:
    message = world.say(world.team, world.cleo)
    ben = Caller(world.ben)
    for _ in range(2):
        (reaction,) = ben.react(message.pk, "👍🏽").json()["reactions"]
        assert reaction == {"emoji": "👍🏽", "count": 1, "users": [world.ben.pk]}
    assert Caller(world.cleo).react(message.pk, "👍🏽").json()["reactions"][0]["count"] == 2
    assert answered(Caller(world.vic).react(message.pk, "👍")) == (403, "forbidden")
    left = ben.delete(f"messages/{message.pk}/reactions/👍🏽/").json()["reactions"]
    assert left[0]["users"] == [world.cleo.pk]
    for wrong in ("ok", "a", "é", "1", "%00", "%ED%A0%80", "x" * 500, "👍" * 17, "%0A", "💥 "):
        for method in ("PUT", "DELETE"):
            response = ben.send(method, f"messages/{message.pk}/reactions/{wrong}/", None)
            assert answered(response) == (400, "invalid"), wrong


def test_a_cards_action_is_done_once(world: World) -> None:
    world.team.close(by=world.ben)
    card = Message.objects.filter(room=world.team, kind="card").get()
    path, ben = f"messages/{card.pk}/actions/", Caller(world.ben)
    assert answered(Caller(world.vic).post(path, action="reopen", version=card.version)) == (
        403,
        "forbidden",
    )
    for wrong in (
        {"action": "dance"},
        {"action": 5},
        {"version": "1"},
        {"version": True},
        {"data": []},
        {"data": "x"},
    ):
        sent = {"action": "reopen", "version": card.version, **wrong}
        assert answered(ben.post(path, **sent)) == (400, "invalid")
    assert answered(ben.post(path, action="reopen", version=card.version + 1)) == (409, "stale")
    done = ben.post(path, action="reopen", version=card.version).json()
    assert done["data"]["actions"][0]["enabled"] is False
    assert Room.objects.get(pk=world.team.pk).state == "active"
    assert answered(ben.post(path, action="reopen", version=card.version)) == (409, "stale")
    assert answered(ben.post(path, action="reopen", version=done["version"])) == (
        409,
        "action_unavailable",
    )


# Reading


def test_reading_and_coming_back(world: World) -> None:
    messages = [world.say(world.team, world.ben, f"m{number} @cleo") for number in range(3)]
    cleo, path = Caller(world.cleo), f"rooms/{world.team.pk}/"
    assert (cleo.get(path).json()["unread"], cleo.get(path).json()["mentions"]) == (3, 3)
    assert cleo.post(f"{path}read/", message=messages[1].pk).json() == {
        "last_read": messages[1].pk,
        "unread": 1,
        "mentions": 1,
    }
    assert (
        cleo.post(f"{path}read/", message=messages[0].pk).json()["last_read"] == messages[1].pk
    ), "never back"
    assert cleo.post(f"{path}read/", message=messages[2].pk).json()["unread"] == 0
    assert cleo.post(f"{path}unread/", message=messages[1].pk).json()["unread"] == 2
    elsewhere = world.say(world.public, world.ben)
    for wrong in (elsewhere.pk, 10**9, 2**63 - 1):
        assert answered(cleo.post(f"{path}read/", message=wrong)) == (404, "not_found")
    for wrong in (None, "1", TOO_LARGE, True):
        assert answered(cleo.post(f"{path}unread/", message=wrong)) == (400, "invalid")
    assert answered(Caller(world.otto).post(f"{path}read/", message=messages[0].pk)) == (
        404,
        "not_found",
    )


# What it costs


def cost(act: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert act().status_code < 300
    return len(queries)


def test_posting_and_paging_cost_the_same_in_a_small_room_and_a_large_one(world: World) -> None:
    def costs(size: int) -> list[int]:
        people = [User.objects.create_person(f"p{size}-{n}", "Pal", None) for n in range(size)]
        for number in range(size):
            Room.objects.open(f"Other {number}", by=people[0], people=[world.cleo])
        room = Room.objects.open("Room", by=world.cleo, people=people)
        for person in people:
            first = world.say(room, person, "hello @cleo")
            first.react("👍", by=world.cleo)
            world.say(room, person, "and again", reply_to=first)
        caller = Caller(world.cleo)
        named = " ".join(f"@{person.handle}" for person in people)
        return [
            cost(lambda: caller.say(room.pk)),
            cost(lambda: caller.say(room.pk, named, reply_to=first.pk)),
            cost(lambda: caller.say(room.pk, audience="only", to=[person.pk for person in people])),
            cost(lambda: caller.get(f"rooms/{room.pk}/messages/", limit=size + 3)),
            cost(lambda: caller.get(f"rooms/{room.pk}/messages/", before=first.pk, limit=size)),
            cost(
                lambda: caller.get(
                    f"rooms/{room.pk}/messages/", cursor=cursors.seal(room.pk, 1), limit=200
                )
            ),
            cost(lambda: caller.get(f"messages/{first.pk}/")),
            cost(lambda: caller.post(f"rooms/{room.pk}/read/", message=first.pk)),
        ]

    small, large = costs(3), costs(30)
    assert small == large
    assert small[0] <= 14
    assert small[3] <= 8


def _file(name: str = "notes.txt", content: bytes = b"some notes") -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, content)


def test_files_go_with_a_post_once(world: World) -> None:
    ben, path = Caller(world.ben), f"rooms/{world.team.pk}/attachments/"
    mine = ben.upload(path, file=_file()).json()["id"]
    of_cleo = Caller(world.cleo).upload(path, file=_file()).json()["id"]
    elsewhere = ben.upload(f"rooms/{world.public.pk}/attachments/", file=_file()).json()["id"]
    for foreign in (of_cleo, elsewhere, 10**9, 2**63 - 1):
        assert answered(ben.say(world.team.pk, attachments=[foreign])) == (404, "not_found")
    posted = ben.say(world.team.pk, "", attachments=[mine])
    assert posted.status_code == 201
    assert [file["id"] for file in posted.json()["attachments"]] == [mine]
    assert answered(ben.say(world.team.pk, attachments=[mine])) == (404, "not_found")
    assert Attachment.objects.get(pk=of_cleo).message is None
