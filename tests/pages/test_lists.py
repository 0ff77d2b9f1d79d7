"""Lists of rooms, a new room, and the way into one."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from messages.overview import overview
from rooms.models import Participant, Room
from rooms.views import sidebar
from tests.world import World, again

Browse = Callable[[User], Client]


def listed(page: str) -> set[int]:
    return {int(pk) for pk in re.findall(r'class="room-row" data-room="(\d+)"', page)}


def test_the_list_holds_ones_rooms_and_no_others(world: World, browse: Browse) -> None:
    for person in (world.ben, world.gus, world.carl, world.otto, world.root):
        mine = set(Room.objects.for_user(person).values_list("pk", flat=True))
        assert listed(browse(person).get("/").text) == mine


def test_a_room_that_one_is_removed_from_at_this_moment_is_not_listed(
    world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browse(world.cleo)

    def removed_before(user: User, rooms: Any) -> list[dict[str, Any]]:
        rooms = list(rooms)
        Participant.objects.filter(user=user, room=world.team).delete()
        return overview(user, rooms)

    monkeypatch.setattr(sidebar, "overview", removed_before)
    assert listed(client.get("/").text) == {world.public.pk, world.direct.pk}


def test_a_room_is_found_by_name_and_a_direct_one_by_who_is_in_it(
    world: World, browse: Browse
) -> None:
    client = browse(world.ben)
    assert listed(client.get("/?q=tea").text) == {world.team.pk}
    assert listed(client.get("/?q=CLEO").text) == {world.direct.pk}
    assert listed(client.get("/?q=nothing").text) == set()


def test_what_is_unread_waits_on_the_first_page_until_it_is_read(
    world: World, browse: Browse
) -> None:
    message = world.say(world.team, world.ben, "@cleo look")
    page = browse(world.cleo).get("/").text
    assert "Waiting for you" in page
    message.mark_read(by=world.cleo)
    assert "All caught up" in browse(world.cleo).get("/").text


def test_public_rooms_are_shown_to_members_and_joined_by_a_click(
    world: World, browse: Browse
) -> None:
    otto = browse(world.otto)
    page = otto.get("/rooms/browse/").text
    assert "Public" in page
    assert f"/rooms/{world.team.pk}/" not in page
    assert otto.post(f"/rooms/{world.public.pk}/join/").status_code == 302
    assert again(world.public).participant(world.otto).role == "member"
    assert otto.post(f"/rooms/{world.team.pk}/join/").status_code == 404
    for stranger in (world.gus, world.carl):
        assert browse(stranger).get("/rooms/browse/").status_code == 403
        assert browse(stranger).post(f"/rooms/{world.public.pk}/join/").status_code == 404


def test_the_desk_is_for_agents_the_longest_waiting_first(world: World, browse: Browse) -> None:
    waiting = [
        Room.objects.open(f"Waiting {n}", by=world.ada, mode="support", on_behalf_of=world.dora)
        for n in range(2)
    ]
    page = browse(world.amy).get("/desk/").text
    places = [page.index(f"/rooms/{room.pk}/join/") for room in [*waiting, world.support]]
    assert places == sorted(places)
    assert browse(world.amy).post(f"/rooms/{waiting[0].pk}/join/").status_code == 302
    assert again(waiting[0]).state == "active"
    for stranger in (world.ben, world.gus, world.carl):
        assert browse(stranger).get("/desk/").status_code == 403


def test_a_room_is_opened_with_its_people(world: World, browse: Browse) -> None:
    given = {"name": "Autumn", "visibility": "private", "people": "cleo, @Vic"}
    answer = browse(world.ben).post("/rooms/new/", given)
    room = Room.objects.get(name="Autumn")
    assert answer["Location"] == f"/rooms/{room.pk}/"
    seats = dict(room.participants.values_list("user__handle", "role"))
    assert seats == {"ben": "owner", "cleo": "member", "vic": "member"}


def test_a_room_that_cannot_be_opened_says_why(world: World, browse: Browse) -> None:
    client = browse(world.ben)
    nobody = client.post("/rooms/new/", {"name": "A", "visibility": "private", "people": "nobody"})
    assert nobody.status_code == 400
    assert "nobody called nobody" in nobody.text
    assert client.post("/rooms/new/", {"name": "", "visibility": "private"}).status_code == 400
    assert browse(world.gus).get("/rooms/new/").status_code == 403
    assert not Room.objects.filter(name="A").exists()


def test_support_rooms_are_opened_by_agents_alone(world: World, browse: Browse) -> None:
    given = {"name": "Help", "visibility": "private", "mode": "support"}
    browse(world.ben).post("/rooms/new/", given)
    assert Room.objects.get(name="Help").mode == "team"
    browse(world.ada).post("/rooms/new/", {**given, "name": "Desk"})
    assert Room.objects.get(name="Desk").mode == "support"


def test_the_room_of_two_is_made_by_a_click_and_found_again(world: World, browse: Browse) -> None:
    client = browse(world.otto)
    before = Room.objects.count()
    assert client.get("/direct/ben/").status_code == 200
    assert Room.objects.count() == before
    made = client.post("/direct/ben/")["Location"]
    assert client.get("/direct/ben/")["Location"] == made
    assert client.get("/direct/nobody/").status_code == 404
    assert browse(world.gus).post("/direct/ben/").status_code == 404


def test_a_star_is_ones_own(world: World, browse: Browse) -> None:
    browse(world.ben).post(f"/rooms/{world.team.pk}/me/", {"starred": "true"})
    assert list(Participant.objects.filter(starred=True).values_list("user", flat=True)) == [
        world.ben.pk
    ]
    assert browse(world.otto).post(f"/rooms/{world.team.pk}/me/").status_code == 404
