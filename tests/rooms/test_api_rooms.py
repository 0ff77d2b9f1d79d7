"""The API of rooms: who finds, makes, changes and ends them."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from rooms.api.rooms import RoomSerializer
from rooms.models import Participant, Room
from tests.callers import TOO_LARGE, Caller, answered, code
from tests.world import World

SIGNING_IN = ["root", "sue", "ada", "amy", "ben", "cleo", "vic", "otto", "gus", "carl", "dora"]


def everybody(world: World, act: Callable[[Caller], Any]) -> dict[str, Any]:
    """What each gets who can sign in at all."""
    return {name: code(act(Caller(world.people[name]))) for name in SIGNING_IN}


def expected(*, otherwise: Any, **who: str) -> dict[str, Any]:
    """`expected(yes="ben", otherwise="not_found")`, where `yes` is 200."""
    answers = dict.fromkeys(SIGNING_IN, otherwise)
    for answer, names in who.items():
        answers.update(dict.fromkeys(names.split(), 200 if answer == "yes" else answer))
    return answers


def names(response: Any) -> set[str]:
    return {room["name"] for room in response.json()["results"]}


def test_a_room_has_the_keys_its_schema_declares(world: World) -> None:
    room = Caller(world.ben).get(f"rooms/{world.team.pk}/").json()
    assert list(room) == list(RoomSerializer().fields)
    assert list(room["me"]) == list(RoomSerializer().fields["me"].fields)
    assert room["me"]["role"] == "owner"
    assert room["created_at"].endswith("Z")


def test_everybody_lists_the_rooms_they_are_in(world: World) -> None:
    found = {name: names(Caller(world.people[name]).get("rooms/")) for name in SIGNING_IN}
    assert found["ben"] == {"Team", "Public", "Cleo"}
    assert found["cleo"] == {"Team", "Public", "Ben"}
    assert found["vic"] == found["gus"] == {"Team"}
    assert found["ada"] == found["sue"] == found["carl"] == found["dora"] == {"Support"}
    assert found["root"] == found["amy"] == found["otto"] == set()


def test_public_rooms_are_listed_to_members_of_the_site(world: World) -> None:
    found = {
        name: names(Caller(world.people[name]).get("rooms/", scope="public")) for name in SIGNING_IN
    }
    outside = {"gus", "carl", "dora"}
    assert found == {name: set() if name in outside else {"Public"} for name in SIGNING_IN}
    (room,) = Caller(world.otto).get("rooms/", scope="public").json()["results"]
    assert room["me"] is None


def test_the_desk_is_listed_to_agents_and_above(world: World) -> None:
    found = {
        name: names(Caller(world.people[name]).get("rooms/", scope="desk")) for name in SIGNING_IN
    }
    agents = {"root", "sue", "ada", "amy"}
    assert found == {name: {"Support"} if name in agents else set() for name in SIGNING_IN}


def test_a_list_is_narrowed_by_state_mode_and_name(world: World) -> None:
    ben = Caller(world.ben)
    world.public.close(by=world.ben)
    assert names(ben.get("rooms/", state="closed")) == {"Public"}
    assert names(ben.get("rooms/", state="active")) == {"Team", "Cleo"}
    assert names(ben.get("rooms/", mode="support")) == set()
    assert names(ben.get("rooms/", q="EA")) == {"Team"}
    assert names(ben.get("rooms/", q="leo")) == {"Cleo"}, "a direct room is called as the other is"
    assert names(ben.get("rooms/", q="ben")) == set()


@pytest.mark.parametrize(
    "query",
    [
        {"scope": "all"},
        {"state": "open"},
        {"mode": "chat"},
        {"limit": "many"},
        {"limit": "0"},
        {"cursor": "x"},
        {"cursor": str(TOO_LARGE)},
        {"q": "a\0b"},
        {"q": "a" * 101},
    ],
)
def test_a_list_asked_for_wrongly_says_which_field_is_wrong(
    world: World, query: dict[str, str]
) -> None:
    response = Caller(world.ben).get("rooms/", **query)
    assert answered(response) == (400, "invalid")
    assert set(response.json()["error"]["details"]) == set(query)


def test_a_list_comes_in_pages_that_leave_nothing_out(world: World) -> None:
    for number in range(5):
        Room.objects.open(f"Room {number}", by=world.otto)
    otto, seen, cursor = Caller(world.otto), [], None
    while True:
        answer = otto.get("rooms/", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [room["name"] for room in answer["results"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == [f"Room {number}" for number in (4, 3, 2, 1, 0)]


def test_a_page_is_never_longer_than_it_may_be(world: World, settings: Any) -> None:
    settings.CHAT_PAGE_MAX = 2
    answer = Caller(world.ben).get("rooms/", limit=500).json()
    assert len(answer["results"]) == 2
    assert answer["next"]


def test_who_may_read_a_room(world: World) -> None:
    def reading(room: Room) -> dict[str, Any]:
        return everybody(world, lambda caller: caller.get(f"rooms/{room.pk}/"))

    assert reading(world.team) == expected(yes="ben cleo vic gus", otherwise="not_found")
    assert reading(world.support) == expected(
        yes="root sue ada amy carl dora", otherwise="not_found"
    )
    assert reading(world.public) == expected(
        yes="root sue ada amy ben cleo vic otto", otherwise="not_found"
    )
    assert reading(world.direct) == expected(yes="ben cleo", otherwise="not_found")


@pytest.mark.parametrize(
    "room", ["0", "999999999", str(TOO_LARGE), "9" * 40, "-1", "x", "1.0", "%00"]
)
@pytest.mark.parametrize(
    ("method", "rest"), [("GET", ""), ("PATCH", ""), ("POST", "join/"), ("GET", "participants/")]
)
def test_a_room_that_is_not_there_is_404(world: World, room: str, method: str, rest: str) -> None:
    response = Caller(world.root).send(
        method, f"rooms/{room}/{rest}", {} if method != "GET" else None
    )
    assert answered(response) == (404, "not_found")


def test_nobody_gets_nothing(world: World) -> None:
    assert answered(Caller(None).get("rooms/")) == (401, "not_authenticated")
    assert answered(Caller(None).get(f"rooms/{world.public.pk}/")) == (401, "not_authenticated")


# Making rooms


def test_who_may_make_which_room(world: World) -> None:
    def making(mode: str) -> dict[str, Any]:
        return everybody(world, lambda caller: caller.post("rooms/", name="New", mode=mode))

    outside = "gus carl dora"
    assert making("team") == {
        **dict.fromkeys(SIGNING_IN, 201),
        **dict.fromkeys(outside.split(), "forbidden"),
    }
    agents = dict.fromkeys(["root", "sue", "ada", "amy"], 201)
    assert making("support") == {**dict.fromkeys(SIGNING_IN, "forbidden"), **agents}


def test_a_room_is_made_with_its_people(world: World) -> None:
    people = [world.cleo.pk, world.gus.pk, world.cleo.pk]
    response = Caller(world.ben).post(
        "rooms/",
        name=" Plans ",
        description="What we do",
        visibility="public",
        history="joined",
        people=people,
    )
    assert response.status_code == 201
    room = response.json()
    assert room["name"] == "Plans"
    assert room["participants_count"] == 3
    assert (room["mode"], room["visibility"], room["state"], room["history"]) == (
        "team",
        "public",
        "active",
        "joined",
    )
    seats = Participant.objects.filter(room=room["id"]).values_list("user__handle", "role")
    assert dict(seats) == {"ben": "owner", "cleo": "member", world.gus.handle: "member"}


def test_only_people_one_may_know_are_brought_in(world: World) -> None:
    before = Room.objects.count()
    ben = Caller(world.ben)
    for people in ([world.carl.pk], [world.cleo.pk, 10**9], [world.dee.pk], [world.system.pk]):
        response = ben.post("rooms/", name="New", people=people)
        assert answered(response) == (404, "not_found")
        assert set(response.json()["error"]["details"]) == {"people"}
    assert answered(ben.post("rooms/", name="New", people=[world.parrot.pk])) == (400, "invalid")
    assert Room.objects.count() == before


def test_a_support_room_on_behalf_of_somebody_waits(world: World) -> None:
    amy = Caller(world.amy)
    response = amy.post("rooms/", name="Help", mode="support", on_behalf_of=world.otto.pk)
    assert response.status_code == 201
    room = response.json()
    assert (room["state"], room["me"], room["participants_count"]) == ("waiting", None, 1)
    assert Participant.objects.get(room=room["id"]).role == "customer"
    joined = amy.post(f"rooms/{room['id']}/join/").json()
    assert (joined["state"], joined["me"]["role"]) == ("active", "agent")
    assert answered(amy.post("rooms/", name="Help", on_behalf_of=world.otto.pk)) == (400, "invalid")
    assert answered(amy.post("rooms/", name="x", mode="support", on_behalf_of=10**9)) == (
        404,
        "not_found",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", 5),
        ("name", None),
        ("name", ["x"]),
        ("name", "x" * 81),
        ("name", "nul\0"),
        ("name", "lone \ud800"),
        ("mode", "chat"),
        ("mode", "\ud800"),
        ("mode", ["team"]),
        ("visibility", "hidden"),
        ("history", {}),
        ("description", 3.5),
        ("description", "x" * 4001),
        ("people", "ben"),
        ("people", 7),
        ("people", ["7"]),
        ("people", [True]),
        ("people", [1.0]),
        ("people", [TOO_LARGE]),
        ("people", [-1]),
        ("people", list(range(1, 1002))),
        ("on_behalf_of", "7"),
        ("on_behalf_of", TOO_LARGE),
    ],
)
def test_a_room_asked_for_wrongly_is_not_made(world: World, field: str, value: Any) -> None:
    before = Room.objects.count()
    response = Caller(world.ada).post("rooms/", **{"name": "New", field: value})
    assert answered(response) == (400, "invalid")
    assert set(response.json()["error"]["details"]) == {field}
    assert Room.objects.count() == before


@pytest.mark.parametrize("body", [[], ["name"], "name", 5, None])
def test_a_body_that_is_no_object_is_refused(world: World, body: Any) -> None:
    client = Caller(world.ben).client
    for method, path in [("post", "rooms/"), ("patch", f"rooms/{world.team.pk}/")]:
        response = getattr(client, method)(f"/api/v1/{path}", body, format="json")
        if body is None and method == "patch":
            continue  # nothing sent is nothing changed
        assert answered(response) == (400, "invalid")


@pytest.mark.parametrize(
    "raw",
    [b"{", b"\xff", b"[" * 100_000, b'{"name": NaN}', b'{"n": ' + b"9" * 9000 + b"}", b"nul\0"],
)
def test_what_is_not_json_is_refused(world: World, raw: bytes) -> None:
    client = Caller(world.ben).client
    response = client.generic("POST", "/api/v1/rooms/", raw, content_type="application/json")
    assert answered(response) == (400, "invalid")


def test_another_content_type_is_refused(world: World) -> None:
    client = Caller(world.ben).client
    response = client.generic("POST", "/api/v1/rooms/", b"<a/>", content_type="text/xml")
    assert answered(response) == (415, "unsupported_media_type")


def test_the_direct_room_of_two_is_always_the_same(world: World) -> None:
    room = Caller(world.ben).post("rooms/direct/", user=world.cleo.pk).json()
    assert room["id"] == world.direct.pk
    assert room["name"] == "Cleo"
    assert Caller(world.cleo).post("rooms/direct/", user=world.ben.pk).json()["id"] == room["id"]
    new = Caller(world.otto).post("rooms/direct/", user=world.ben.pk).json()
    assert Caller(world.ben).post("rooms/direct/", user=world.otto.pk).json()["id"] == new["id"]


def test_who_may_have_a_direct_room_with_whom(world: World) -> None:
    ben = Caller(world.ben)
    assert answered(ben.post("rooms/direct/", user=world.ben.pk)) == (400, "invalid")
    assert answered(ben.post("rooms/direct/", user=world.carl.pk)) == (404, "not_found")
    assert answered(ben.post("rooms/direct/", user=world.gus.pk)) == (403, "forbidden")
    assert answered(Caller(world.gus).post("rooms/direct/", user=world.ben.pk)) == (
        403,
        "forbidden",
    )
    assert answered(ben.post("rooms/direct/", user="ben")) == (400, "invalid")


# Changing them


def test_who_may_change_a_room(world: World) -> None:
    def changing(room: Room) -> dict[str, Any]:
        return everybody(
            world, lambda caller: caller.patch(f"rooms/{room.pk}/", description=str(caller.user))
        )

    assert changing(world.team) == expected(
        yes="ben", forbidden="cleo vic gus", otherwise="not_found"
    )
    assert changing(world.support) == expected(
        yes="root sue ada", forbidden="amy carl dora", otherwise="not_found"
    )
    assert changing(world.direct) == expected(forbidden="ben cleo", otherwise="not_found")


def test_a_room_is_renamed_and_described(world: World) -> None:
    ben = Caller(world.ben)
    room = ben.patch(
        f"rooms/{world.team.pk}/", name="Crew", description="All of us", history="joined"
    ).json()
    assert (room["name"], room["description"], room["history"]) == ("Crew", "All of us", "joined")
    assert ben.patch(f"rooms/{world.team.pk}/").json()["name"] == "Crew", (
        "nothing asked, nothing changed"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", 1),
        ("visibility", "x"),
        ("history", 0),
        ("description", []),
    ],
)
def test_a_wrong_change_changes_nothing(world: World, field: str, value: Any) -> None:
    response = Caller(world.ben).patch(
        f"rooms/{world.team.pk}/", **{"visibility": "public", field: value}
    )
    assert answered(response) == (400, "invalid")
    world.team.refresh_from_db()
    assert world.team.visibility == "private"
    assert world.team.name == "Team"


def test_support_rooms_are_never_public(world: World) -> None:
    response = Caller(world.ada).patch(f"rooms/{world.support.pk}/", visibility="public")
    assert answered(response) == (400, "invalid")


def test_who_may_join_uninvited(world: World) -> None:
    def joining(room: Room) -> dict[str, Any]:
        return everybody(world, lambda caller: caller.post(f"rooms/{room.pk}/join/"))

    assert joining(world.team) == expected(yes="ben cleo vic gus", otherwise="not_found")
    assert joining(world.public) == expected(
        yes="root sue ada amy ben cleo vic otto", otherwise="not_found"
    )
    assert joining(world.support) == expected(
        yes="root sue ada amy carl dora", otherwise="not_found"
    )


def test_leaving_ends_the_room_for_a_member(world: World) -> None:
    cleo = Caller(world.cleo)
    assert cleo.post(f"rooms/{world.team.pk}/leave/").status_code == 204
    assert answered(cleo.get(f"rooms/{world.team.pk}/")) == (404, "not_found")
    assert answered(cleo.post(f"rooms/{world.team.pk}/leave/")) == (404, "not_found")


def test_the_last_owner_stays(world: World) -> None:
    ben = Caller(world.ben)
    assert answered(ben.post(f"rooms/{world.team.pk}/leave/")) == (409, "last_owner")
    assert answered(ben.delete(f"rooms/{world.team.pk}/participants/{world.ben.pk}/")) == (
        409,
        "last_owner",
    )
    response = ben.patch(f"rooms/{world.team.pk}/participants/{world.ben.pk}/", role="member")
    assert answered(response) == (409, "last_owner")
    assert world.seat(world.team, world.ben).role == "owner"


def test_a_room_is_closed_reopened_and_archived(world: World) -> None:
    ada, path = Caller(world.ada), f"rooms/{world.support.pk}/"
    closed = ada.post(f"{path}close/", outcome="success", note="Sold.").json()
    assert (closed["state"], closed["outcome"]) == ("closed", "success")
    assert answered(ada.post(f"{path}close/", outcome="success")) == (409, "wrong_state")
    assert ada.post(f"{path}archive/").json()["state"] == "archived"
    reopened = ada.post(f"{path}reopen/").json()
    assert (reopened["state"], reopened["outcome"]) == ("active", None)
    assert answered(ada.post(f"{path}archive/")) == (409, "wrong_state")
    assert answered(ada.post(f"{path}close/", outcome="splendid")) == (400, "invalid")
    assert answered(ada.post(f"{path}close/", outcome="success", note="x" * 4001)) == (
        400,
        "invalid",
    )
    assert answered(Caller(world.carl).post(f"{path}close/", outcome="success")) == (
        403,
        "forbidden",
    )


def test_one_sets_a_room_for_oneself(world: World) -> None:
    ben, path = Caller(world.ben), f"rooms/{world.team.pk}/me/"
    me = ben.patch(path, muted=True, starred=True, notify="mentions").json()
    assert (me["muted"], me["starred"], me["notify"]) == (True, True, "mentions")
    assert ben.patch(path, muted=False).json()["starred"] is True
    assert ben.get(f"rooms/{world.team.pk}/").json()["me"] == {**me, "muted": False}
    assert Caller(world.cleo).get(f"rooms/{world.team.pk}/").json()["me"]["starred"] is False
    assert answered(Caller(world.otto).patch(f"rooms/{world.public.pk}/me/", muted=True)) == (
        404,
        "not_found",
    )


@pytest.mark.parametrize(
    "wrong",
    [{"muted": "yes"}, {"muted": 1}, {"starred": None}, {"notify": "loud"}, {"notify": None}],
)
def test_a_wrong_setting_sets_nothing(world: World, wrong: dict[str, Any]) -> None:
    response = Caller(world.ben).patch(f"rooms/{world.team.pk}/me/", **wrong)
    assert answered(response) == (400, "invalid")
    seat = world.seat(world.team, world.ben)
    assert (seat.muted, seat.starred, seat.notify) == (False, False, "mentions")


# What it costs


def test_listing_costs_the_same_however_many_rooms_and_people(
    world: World, django_assert_max_num_queries: Any
) -> None:
    def queries(count: int) -> int:
        user = User.objects.create_person(f"p{count}", f"P{count}", None)
        for number in range(count):
            room = Room.objects.open(f"Room {number}", by=user, people=[world.ben])
            room.messages.post("hello", by=world.ben)
            Room.objects.direct(
                User.objects.create_person(f"p{count}-{number}", "Pal", None), by=user
            )
        caller = Caller(user)
        with django_assert_max_num_queries(8) as listing:
            assert len(caller.get("rooms/", limit=200).json()["results"]) == 2 * count
        return len(listing.captured_queries)

    assert queries(3) == queries(30)


def test_a_room_costs_the_same_however_many_people_and_messages(
    world: World, django_assert_max_num_queries: Any
) -> None:
    def queries(count: int) -> list[int]:
        people = [User.objects.create_person(f"p{count}-{n}", "Pal", None) for n in range(count)]
        room = Room.objects.open("Room", by=world.ben, people=people)
        for person in people:
            room.messages.post("hello @ben", by=person)
        caller, counts = Caller(world.ben), []
        for path in (f"rooms/{room.pk}/", f"rooms/{room.pk}/participants/"):
            with django_assert_max_num_queries(6) as reading:
                assert caller.get(path).status_code == 200
            counts.append(len(reading.captured_queries))
        return counts

    assert queries(3) == queries(30)
