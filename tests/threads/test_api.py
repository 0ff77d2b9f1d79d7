"""Side-bars through the API: opened, listed, shared from, concluded; and the rooms they are."""

from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from messages.models import Message
from messages.overview import NAMELESS
from rooms.models import Participant
from tests.callers import TOO_LARGE, Caller, code
from tests.messages.files import upload
from tests.threads.beside import beside, private
from tests.world import World, again
from threads.models import Sidebar

CALLERS = ("root", "sue", "ada", "amy", "ben", "cleo", "vic", "otto", "gus", "carl", "dora")
"""Those who can sign in, and guests and customers, who come with a login."""


def callers(world: World) -> dict[str, Caller]:
    return {name: Caller(world.people[name]) for name in CALLERS}


def codes(world: World, method: str, path: str, **body: Any) -> dict[str, str | int]:
    """What each gets, one after the other."""
    found = {}
    for name, caller in callers(world).items():
        given = {key: str(uuid4()) if value is uuid4 else value for key, value in body.items()}
        found[name] = code(getattr(caller, method)(path, **given))
    return found


def answers(otherwise: str | int = "not_found", **names: str) -> dict[str, str | int]:
    """`answers(created="ben cleo")`."""
    found: dict[str, str | int] = dict.fromkeys(CALLERS, otherwise)
    for answer, who in names.items():
        status = {"ok": 200, "created": 201}.get(answer, answer)
        found.update(dict.fromkeys(who.split(), status))
    return found


# Opening


def test_who_opens_one(world: World, said: Message, asked: Message) -> None:
    path = f"messages/{said.pk}/sidebars/"
    assert codes(world, "post", path) == answers(created="ben cleo gus", forbidden="vic")
    path = f"messages/{asked.pk}/sidebars/"
    assert codes(world, "post", path) == answers(created="ada sue", forbidden="carl dora")


def test_what_is_answered_is_its_stub(world: World, said: Message) -> None:
    ben = Caller(world.ben)
    answer = ben.post(
        f"messages/{said.pk}/sidebars/", title="Plans", access="private", invite=[world.gus.pk]
    )
    assert answer.status_code == 201
    stub = answer.json()
    assert (stub["anchor"], stub["title"], stub["access"]) == (said.pk, "Plans", "private")
    assert [person["id"] for person in stub["people"]] == [world.ben.pk, world.gus.pk]
    assert ben.get(f"rooms/{world.team.pk}/sidebars/").json()["results"] == [stub]
    room = ben.get(f"rooms/{stub['id']}/").json()
    assert (room["parent"], room["name"], room["visibility"]) == (world.team.pk, "Plans", "private")


def test_an_open_one_without_a_title_has_a_name_all_the_same(world: World, said: Message) -> None:
    ben = Caller(world.ben)
    stub = ben.post(f"messages/{said.pk}/sidebars/").json()
    assert (stub["title"], stub["access"]) == ("", "open")
    assert ben.get(f"rooms/{stub['id']}/").json()["name"] == NAMELESS


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "x" * 81},
        {"title": 7},
        {"access": "public"},
        {"access": None},
        {"invite": "ben"},
        {"invite": [{}]},
    ],
)
def test_what_is_wrong_with_it_is_named(world: World, said: Message, wrong: dict[str, Any]) -> None:
    answer = Caller(world.ben).post(f"messages/{said.pk}/sidebars/", **wrong)
    assert (answer.status_code, code(answer)) == (400, "invalid")
    assert set(answer.json()["error"]["details"]) == set(wrong)
    assert not Sidebar.objects.exists()


@pytest.mark.parametrize(("name", "expected"), [("otto", "invalid"), ("gus", 201)])
def test_whom_one_may_invite(world: World, said: Message, name: str, expected: str) -> None:
    invite = [world.people[name].pk]
    answer = Caller(world.ben).post(f"messages/{said.pk}/sidebars/", invite=invite)
    assert code(answer) == expected


@pytest.mark.parametrize("pk", [10**9, TOO_LARGE])
def test_nobody_is_invited_whom_there_is_not(world: World, said: Message, pk: int) -> None:
    answer = Caller(world.ben).post(f"messages/{said.pk}/sidebars/", invite=[pk])
    assert code(answer) in ("not_found", "invalid")


def test_who_has_signed_in_nowhere_gets_nowhere(world: World, talk: Sidebar) -> None:
    nobody = Caller(None)
    for method, path in (
        ("post", f"messages/{talk.anchor_id}/sidebars/"),
        ("get", f"rooms/{world.team.pk}/sidebars/"),
        ("post", f"sidebars/{talk.pk}/share/"),
        ("post", f"sidebars/{talk.pk}/conclude/"),
    ):
        assert code(getattr(nobody, method)(path)) == "not_authenticated"


def test_the_limit_is_told(world: World, talk: Sidebar, settings: Any) -> None:
    settings.CHAT_SIDEBARS_MAX = 1
    answer = Caller(world.ben).post(f"messages/{talk.anchor_id}/sidebars/")
    assert (answer.status_code, code(answer)) == (409, "too_many_sidebars")


def test_one_level_only(world: World, talk: Sidebar) -> None:
    message = world.say(again(talk.room), world.ben)
    answer = Caller(world.ben).post(f"messages/{message.pk}/sidebars/")
    assert (answer.status_code, code(answer)) == (400, "invalid")


# Listing


def test_who_lists_them(world: World, talk: Sidebar, internal: Sidebar) -> None:
    found = codes(world, "get", f"rooms/{world.team.pk}/sidebars/")
    assert found == answers(ok="ben cleo vic gus")
    found = codes(world, "get", f"rooms/{world.support.pk}/sidebars/")
    assert found == answers(ok="ada sue carl dora")
    assert Caller(world.carl).get(f"rooms/{world.support.pk}/sidebars/").json()["results"] == []


def test_each_is_told_of_theirs(world: World, talk: Sidebar, aside: Sidebar) -> None:
    listed = {
        name: [
            stub["id"] for stub in caller.get(f"rooms/{world.team.pk}/sidebars/").json()["results"]
        ]
        for name, caller in callers(world).items()
        if name in ("ben", "cleo", "vic", "gus")
    }
    assert listed == {
        "ben": [aside.pk, talk.pk],
        "gus": [aside.pk, talk.pk],
        "cleo": [talk.pk],
        "vic": [talk.pk],
    }


def test_they_come_in_pages_and_by_message(world: World, talk: Sidebar, said: Message) -> None:
    more = [beside(said, world.ben) for _ in range(3)]
    other = beside(world.say(again(world.team), world.ben), world.ben)
    ben, path = Caller(world.ben), f"rooms/{world.team.pk}/sidebars/"
    seen, query = [], {"limit": 2}
    while True:
        page = ben.get(path, **query).json()
        seen += [stub["id"] for stub in page["results"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == [other.pk, *(one.pk for one in reversed(more)), talk.pk]
    found = ben.get(path, anchor=other.anchor_id).json()["results"]
    assert [stub["id"] for stub in found] == [other.pk]
    for wrong in ("x", "-1"):
        assert code(ben.get(path, anchor=wrong)) == "invalid"


# Sharing back and concluding


def test_who_shares_back(world: World, talk: Sidebar, aside: Sidebar) -> None:
    for sidebar, expected in (
        (talk, answers(created="ben cleo", forbidden="vic gus")),
        (aside, answers(created="ben", forbidden="gus")),
    ):
        message = world.say(again(sidebar.room), world.ben)
        given = {"messages": [message.pk], "audience": "everyone"}
        path = f"sidebars/{sidebar.pk}/share/"
        assert codes(world, "post", path, client_id=uuid4, **given) == expected


def test_a_share_is_answered_as_a_post_is(world: World, talk: Sidebar) -> None:
    ben, client_id = Caller(world.ben), str(uuid4())
    file = upload(again(talk.room), world.ben)
    messages = [
        world.say(again(talk.room), world.ben, "one", attachments=[file]).pk,
        world.say(again(talk.room), world.ben, "two").pk,
    ]
    given = {"client_id": client_id, "messages": messages, "audience": "everyone"}
    first = ben.post(f"sidebars/{talk.pk}/share/", **given)
    assert (first.status_code, first.json()["replayed"]) == (201, False)
    assert first.json()["shared_from"]["message"] == messages[0]
    assert len(first.json()["attachments"]) == 1
    second = ben.post(f"sidebars/{talk.pk}/share/", **given)
    assert (second.status_code, second.json()) == (200, {**first.json(), "replayed": True})
    other = ben.post(f"sidebars/{talk.pk}/share/", **{**given, "body": "other"})
    assert (other.status_code, code(other)) == (409, "idempotency_conflict")
    html = ben.post(f"sidebars/{talk.pk}/share/?render=html", **given).json()
    assert "article" in html


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "x"},
        {"messages": []},
        {"messages": "all"},
        {"audience": "world"},
        {"to": [True]},
        {"body": "x" * 16_001},
    ],
)
def test_what_is_wrong_with_a_share_is_named(
    world: World, talk: Sidebar, wrong: dict[str, Any]
) -> None:
    message = world.say(again(talk.room), world.ben)
    given = {"client_id": str(uuid4()), "messages": [message.pk], "audience": "everyone"}
    answer = Caller(world.ben).post(f"sidebars/{talk.pk}/share/", **{**given, **wrong})
    assert (answer.status_code, code(answer)) == (400, "invalid")
    assert set(answer.json()["error"]["details"]) == set(wrong)


def test_who_concludes(world: World, said: Message, internal: Sidebar) -> None:
    for name, expected in (("ben", 200), ("gus", 200), ("vic", "forbidden"), ("ada", "not_found")):
        sidebar = beside(said, world.ben)
        answer = Caller(world.people[name]).post(
            f"sidebars/{sidebar.pk}/conclude/", client_id=str(uuid4()), body="Done."
        )
        assert code(answer) == expected
    found = codes(
        world, "post", f"sidebars/{internal.pk}/conclude/", client_id=uuid4, audience="loud"
    )
    assert found == answers(otherwise="not_found", invalid="ada sue")


def test_a_conclusion_is_answered_with_both(world: World, talk: Sidebar, said: Message) -> None:
    ben, path = Caller(world.ben), f"sidebars/{talk.pk}/conclude/"
    given = {"client_id": str(uuid4()), "body": "**Done.**"}
    first = ben.post(path, **given)
    assert first.status_code == 200
    told = first.json()
    assert told["message"]["reply_to"]["id"] == said.pk
    assert told["sidebar"]["conclusion"] == told["message"]["id"]
    assert told["sidebar"]["state"] == "closed"
    assert ben.post(path, **given).json() == told
    assert (code(ben.post(path, **{**given, "body": "Not yet."}))) == "idempotency_conflict"
    again_ = ben.post(path, client_id=str(uuid4()), body="Done.")
    assert (again_.status_code, code(again_)) == (409, "sidebar_concluded")


def test_it_may_end_without_a_word(world: World, talk: Sidebar) -> None:
    ben, given = Caller(world.ben), {"client_id": str(uuid4())}
    first = ben.post(f"sidebars/{talk.pk}/conclude/", **given)
    assert (first.status_code, first.json()["message"]) == (200, None)
    assert ben.post(f"sidebars/{talk.pk}/conclude/", **given).json() == first.json()


def test_a_room_that_is_no_side_bar_is_neither_shared_from_nor_concluded(world: World) -> None:
    message = world.say(world.team, world.ben)
    ben = Caller(world.ben)
    for pk in (world.team.pk, 10**9, TOO_LARGE):
        share = {"messages": [message.pk], "audience": "everyone"}
        for verb, given in (("share", share), ("conclude", {})):
            answer = ben.post(f"sidebars/{pk}/{verb}/", client_id=str(uuid4()), **given)
            assert answer.status_code == 404


# As a room


def unread(who: User, room: int) -> tuple[int, int]:
    shown = Caller(who).get(f"rooms/{room}/").json()
    return shown["unread"], shown["mentions"]


@pytest.mark.parametrize("scope", ["mine", "public", "desk"])
def test_lists_of_rooms_have_none(
    world: World, talk: Sidebar, aside: Sidebar, internal: Sidebar, scope: str
) -> None:
    again(talk.room).update(by=world.ben, name="Team plans")
    for name, caller in callers(world).items():
        for query in ({}, {"q": "plans"}, {"state": "active"}):
            found = caller.get("rooms/", scope=scope, **query).json()["results"]
            assert not [room for room in found if room["parent"]], name
    assert Caller(world.ben).get("rooms/", scope="mine").json()["results"]


def test_looking_at_the_room_of_it_is_no_coming_by(world: World, talk: Sidebar) -> None:
    world.say(again(talk.room), world.ben)
    cleo = Caller(world.cleo)
    shown = cleo.get(f"rooms/{talk.pk}/").json()
    assert (shown["me"], shown["unread"], shown["last_message_at"]) == (None, 0, None)
    assert not Participant.objects.filter(room=talk.pk, user=world.cleo).exists()
    page = cleo.get(f"rooms/{talk.pk}/messages/").json()
    assert len(page["messages"]) == 1
    assert cleo.get(f"rooms/{talk.pk}/").json()["me"]["role"] == "member"


def test_unread_counts_begin_when_one_comes_by(world: World, talk: Sidebar) -> None:
    world.say(again(talk.room), world.ben)
    Caller(world.cleo).get(f"rooms/{talk.pk}/messages/")
    assert unread(world.cleo, talk.pk) == (0, 0)
    world.say(again(talk.room), world.ben, "@cleo @vic")
    assert unread(world.cleo, talk.pk) == (1, 1)
    assert unread(world.vic, talk.pk) == (1, 1)
    Caller(world.cleo).post(f"rooms/{talk.pk}/read/", message=again(talk.room).newest)
    assert unread(world.cleo, talk.pk) == (0, 0)
    assert unread(world.cleo, world.team.pk)[1] == 0, "and counts nothing around it"


@pytest.mark.parametrize(
    ("name", "expected"), [("cleo", 201), ("gus", 201), ("vic", "forbidden"), ("otto", "not_found")]
)
def test_talking_in_one_needs_no_coming_by_before(
    world: World, talk: Sidebar, name: str, expected: str
) -> None:
    caller = Caller(world.people[name])
    assert code(caller.say(talk.pk)) == expected


def test_its_people_are_those_around_it(world: World, internal: Sidebar) -> None:
    def people(who: User, room: int) -> set[str]:
        answer = Caller(who).get(f"rooms/{room}/participants/")
        return {person["handle"] for person in answer.json()["results"]}

    assert people(world.sue, internal.pk) == {"ada", "sue", "parrot"}
    sidebar = private(internal.anchor, world.ada)
    assert people(world.ada, sidebar.pk) == {"ada"}
    assert code(Caller(world.sue).get(f"rooms/{sidebar.pk}/participants/")) == "not_found"


def test_people_are_brought_into_private_ones(world: World, aside: Sidebar) -> None:
    ben, path = Caller(world.ben), f"rooms/{aside.pk}/participants/"
    assert code(ben.post(path, user=world.cleo.pk)) == 201
    assert code(ben.post(path, user=world.cleo.pk)) == 200
    assert code(ben.post(path, user=world.vic.pk, role="member")) == "role_not_allowed"
    assert code(ben.post(path, user=world.otto.pk)) == "invalid"
    assert code(ben.patch(f"{path}{world.cleo.pk}/", role="viewer")) == "forbidden"
    assert code(ben.delete(f"{path}{world.cleo.pk}/")) == 204
    assert code(Caller(world.cleo).get(path)) == "not_found"


def test_what_it_has_from_around_stays(world: World, talk: Sidebar) -> None:
    ben = Caller(world.ben)
    for wrong in ({"history": "joined"}, {"visibility": "private"}, {"visibility": "public"}):
        assert code(ben.patch(f"rooms/{talk.pk}/", **wrong)) == "invalid"
    assert ben.patch(f"rooms/{talk.pk}/", name="Plans").json()["name"] == "Plans"
    assert code(ben.post(f"rooms/{talk.pk}/invitations/")) == "forbidden"


def test_no_room_is_made_that_is_open(world: World) -> None:
    assert code(Caller(world.ben).post("rooms/", name="New", visibility="open")) == "invalid"
    assert code(Caller(world.ben).patch(f"rooms/{world.team.pk}/", visibility="open")) == "invalid"


def test_files_of_a_share_are_fetched_by_those_who_see_it(world: World, aside: Sidebar) -> None:
    file = upload(again(aside.room), world.gus)
    message = world.say(again(aside.room), world.gus, attachments=[file])
    shared = aside.share([message.pk], by=world.ben, audience="only", to=[world.vic.pk]).message
    (copy,) = shared.attachments.all()
    for name, sees_file, sees_copy in (("vic", False, True), ("gus", True, False)):
        client = Caller(world.people[name]).client
        assert (client.get(file.url).status_code == 200) == sees_file
        assert (client.get(copy.url).status_code == 200) == sees_copy


def test_one_shares_into_a_side_bar_one_may_come_by(world: World, talk: Sidebar) -> None:
    said = world.say(world.public, world.cleo, "look at this")
    shared = {"client_id": str(uuid4()), "room": talk.pk, "audience": "everyone"}
    answer = Caller(world.cleo).post(f"messages/{said.pk}/share/", **shared)
    assert answer.status_code == 201
    assert answer.json()["room"] == talk.pk
    assert again(talk.room).participant(world.cleo) is not None


def test_nobody_shares_into_a_side_bar_that_is_not_for_them(world: World, aside: Sidebar) -> None:
    said = world.say(world.public, world.cleo, "look at this")
    shared = {"client_id": str(uuid4()), "room": aside.pk, "audience": "everyone"}
    assert code(Caller(world.cleo).post(f"messages/{said.pk}/share/", **shared)) == "not_found"
