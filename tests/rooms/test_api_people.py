"""The API of the people of a room."""

from typing import Any

import pytest

from accounts.models import User
from rooms.api.people import Person
from rooms.models import Participant, Room
from tests.callers import TOO_LARGE, Caller, answered
from tests.rooms.test_api_rooms import everybody, expected
from tests.world import World


def handles(response: Any) -> list[str]:
    return [person["handle"] for person in response.json()["results"]]


def test_a_participant_has_the_keys_the_schema_declares(world: World) -> None:
    people = Caller(world.ben).get(f"rooms/{world.team.pk}/participants/").json()["results"]
    assert all(list(person) == list(Person().fields) for person in people)
    assert people[0]["handle"] == "ben"
    assert people[0]["role"] == "owner"


def test_who_may_list_the_people_of_a_room(world: World) -> None:
    def listing(room: Room) -> dict[str, Any]:
        return everybody(world, lambda caller: caller.get(f"rooms/{room.pk}/participants/"))

    assert listing(world.team) == expected(yes="ben cleo vic gus", otherwise="not_found")
    assert listing(world.public) == expected(yes="ben cleo", otherwise="not_found")
    assert listing(world.support) == expected(
        yes="root sue ada amy carl dora", otherwise="not_found"
    )


def test_a_customer_is_shown_customers_and_agents(world: World) -> None:
    path = f"rooms/{world.support.pk}/participants/"
    assert set(handles(Caller(world.carl).get(path))) == {
        "ada",
        world.carl.handle,
        world.dora.handle,
    }
    assert {"sue", "parrot"} < set(handles(Caller(world.ada).get(path)))


def test_people_are_found_by_name_or_handle_among_those_one_is_shown(world: World) -> None:
    path = f"rooms/{world.support.pk}/participants/"
    assert handles(Caller(world.ada).get(path, q="PARR")) == ["parrot"]
    assert handles(Caller(world.carl).get(path, q="parr")) == []
    assert handles(Caller(world.carl).get(path, q="car")) == [world.carl.handle]


def test_people_come_in_pages_of_at_most_200(world: World) -> None:
    people = [User.objects.create_person(f"p{n}", "Pal", None) for n in range(205)]
    room = Room.objects.open("Big", by=world.ben, people=people)
    ben, path = Caller(world.ben), f"rooms/{room.pk}/participants/"
    first = ben.get(path, limit=1000).json()
    rest = ben.get(path, limit=1000, cursor=first["next"]).json()
    assert (len(first["results"]), len(rest["results"]), rest["next"]) == (200, 6, None)
    assert len({person["id"] for person in first["results"] + rest["results"]}) == 206
    assert len(ben.get(path).json()["results"]) == 50


def test_who_may_bring_somebody_in(world: World) -> None:
    def inviting(room: Room) -> dict[str, Any]:
        def invite(caller: Caller) -> Any:
            Participant.objects.filter(room=room, user=world.otto).delete()
            return caller.post(f"rooms/{room.pk}/participants/", user=world.otto.pk)

        return everybody(world, invite)

    answers = inviting(world.team)
    assert answers.pop("ben") == 201
    assert {answers.pop(name) for name in ("cleo", "vic")} == {"forbidden"}
    assert set(answers.values()) == {"not_found"}, "also for a guest, who may not know of Otto"


def test_bringing_in_again_changes_nothing(world: World) -> None:
    ben, path = Caller(world.ben), f"rooms/{world.team.pk}/participants/"
    first = ben.post(path, user=world.otto.pk, role="viewer")
    assert (first.status_code, first.json()["role"]) == (201, "viewer")
    again = ben.post(path, user=world.otto.pk, role="owner")
    assert (again.status_code, again.json()["role"]) == (200, "viewer")


def test_whom_one_may_not_bring_in(world: World) -> None:
    ben, path = Caller(world.ben), f"rooms/{world.team.pk}/participants/"
    for stranger in (world.carl.pk, world.system.pk, world.dee.pk, 10**9, 2**63 - 1):
        assert answered(ben.post(path, user=stranger)) == (404, "not_found")
    robot = User.objects.create_robot("magpie", "Magpie")
    assert answered(ben.post(path, user=robot.pk)) == (400, "invalid")
    assert answered(ben.post(path, user=world.otto.pk, role="agent")) == (403, "role_not_allowed")
    for wrong in (
        {"user": TOO_LARGE},
        {"user": "7"},
        {"user": True},
        {},
        {"user": world.otto.pk, "role": "boss"},
    ):
        assert answered(ben.post(path, **wrong)) == (400, "invalid")
    assert not Participant.objects.filter(room=world.team, user=world.otto).exists()


def test_roles_are_changed_by_who_manages_the_room(world: World) -> None:
    path = f"rooms/{world.team.pk}/participants/{world.vic.pk}/"
    assert answered(Caller(world.cleo).patch(path, role="member")) == (403, "forbidden")
    changed = Caller(world.ben).patch(path, role="member").json()
    assert (changed["handle"], changed["role"]) == ("vic", "member")
    assert answered(Caller(world.ben).patch(path, role="customer")) == (403, "role_not_allowed")
    assert answered(Caller(world.ben).patch(path, role=None)) == (400, "invalid")
    assert answered(Caller(world.ben).patch(path)) == (400, "invalid")


def test_a_member_is_removed(world: World) -> None:
    path = f"rooms/{world.team.pk}/participants/{world.cleo.pk}/"
    assert answered(Caller(world.gus).delete(path)) == (403, "forbidden")
    assert Caller(world.ben).delete(path).status_code == 204
    assert answered(Caller(world.ben).delete(path)) == (404, "not_found")
    assert answered(Caller(world.cleo).get(f"rooms/{world.team.pk}/")) == (404, "not_found")


@pytest.mark.parametrize("user", ["999999999", str(TOO_LARGE), "me"])
def test_nobody_is_404(world: World, user: str) -> None:
    path = f"rooms/{world.team.pk}/participants/{user}/"
    assert answered(Caller(world.ben).delete(path)) == (404, "not_found")
    assert answered(Caller(world.ben).patch(path, role="member")) == (404, "not_found")


def test_a_customer_cannot_find_out_who_is_hidden_from_them(world: World) -> None:
    carl = Caller(world.carl)
    for hidden in (world.sue, world.parrot, world.otto):
        path = f"rooms/{world.support.pk}/participants/{hidden.pk}/"
        assert answered(carl.patch(path, role="customer")) == (404, "not_found")
        assert answered(carl.delete(path)) == (404, "not_found")
        response = carl.post(f"rooms/{world.support.pk}/owner/", user=hidden.pk)
        assert answered(response) == (404, "not_found")


def test_a_room_is_handed_over(world: World) -> None:
    path = f"rooms/{world.team.pk}/owner/"
    assert answered(Caller(world.cleo).post(path, user=world.cleo.pk)) == (403, "forbidden")
    assert answered(Caller(world.ben).post(path, user=world.otto.pk)) == (404, "not_found")
    assert answered(Caller(world.ben).post(path, user=world.ben.pk)) == (400, "invalid")
    assert answered(Caller(world.ben).post(path, user=world.gus.pk)) == (403, "role_not_allowed")
    assert Caller(world.ben).post(path, user=world.cleo.pk).json()["me"]["role"] == "member"
    assert world.seat(world.team, world.cleo).role == "owner"
