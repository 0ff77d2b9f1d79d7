"""The card of somebody: who is shown whose, and what it says to whom."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from live.models import Presence
from rooms.models import Room
from tests.world import NAMES, World, again


def api_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def page_of(user: User, room: Room, path: str) -> tuple[int, str]:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"/rooms/{room.pk}/people/{path}/")
    return answer.status_code, answer.content.decode()


def shown(world: World, room: Room, of: User) -> set[str]:
    """Who gets the card, by page and API alike."""
    may = set()
    for name in NAMES:
        viewer = again(getattr(world, name))
        if not viewer.may_sign_in:
            continue
        by_api = api_of(viewer).get(f"/api/v1/rooms/{room.pk}/participants/{of.pk}/").status_code
        by_id, _ = page_of(viewer, room, str(of.pk))
        by_handle, _ = page_of(viewer, room, f"@{of.handle}")
        assert by_api == by_id == by_handle
        assert by_api in (200, 404)
        may |= {name} if by_api == 200 else set()
    return may


def test_people_of_a_room_see_each_others_cards_and_nobody_else(world: World) -> None:
    assert shown(world, world.team, world.ben) == {"ben", "cleo", "vic", "gus"}
    assert shown(world, world.team, world.parrot) == {"ben", "cleo", "vic", "gus"}
    assert shown(world, world.direct, world.cleo) == {"ben", "cleo"}


def test_customers_see_agents_but_neither_supervisors_nor_robots(world: World) -> None:
    assert shown(world, world.support, world.ada) == {"ada", "sue", "carl", "dora"}
    assert shown(world, world.support, world.sue) == {"ada", "sue"}
    assert shown(world, world.support, world.parrot) == {"ada", "sue"}


def test_who_has_left_is_shown_to_those_who_know_of_them_still(world: World) -> None:
    world.team.remove(world.cleo, by=world.ben)
    assert shown(world, world.team, world.cleo) == {"ben", "vic"}
    card = api_of(world.vic).get(f"/api/v1/rooms/{world.team.pk}/participants/{world.cleo.pk}/")
    assert card.json()["role"] is None
    _, page = page_of(world.vic, world.team, str(world.cleo.pk))
    assert "Not in this room any more" in page


@pytest.mark.parametrize("path", ["0", "99999999", "@nobody", "@system", "@", "9" * 19])
def test_nobody_is_not_found(world: World, path: str) -> None:
    assert page_of(world.ben, world.team, path)[0] == 404


def test_colleagues_are_told_more_than_guests_and_customers(world: World) -> None:
    for agent in (world.ada, world.ben):
        agent.update_profile(by=agent, time_zone="Asia/Tokyo")
        agent.set_status("🎧", "Focusing", until=None, by=agent)
        User.objects.filter(pk=agent.pk).update(seen_on=date(2026, 1, 2))
    private = ("status", "time_zone", "seen_on")
    for room, of, viewer, told in (
        (world.support, world.ada, world.sue, True),
        (world.support, world.ada, world.carl, False),
        (world.team, world.ben, world.vic, True),
        (world.team, world.ben, world.gus, False),
    ):
        card = api_of(viewer).get(f"/api/v1/rooms/{room.pk}/participants/{of.pk}/").json()
        assert [bool(card[field]) for field in private] == [told] * 3
        assert card["presence"] == "offline"
        _, page = page_of(viewer, room, str(of.pk))
        for words in ("Focusing", "where they are", "last here"):
            assert (words in page) is told, words


def test_a_robots_card_tells_its_model_to_staff_alone(world: World) -> None:
    assert page_of(world.ben, world.team, "@parrot")[0] == 200
    card = api_of(world.ben).get(f"/api/v1/rooms/{world.team.pk}/participants/{world.parrot.pk}/")
    assert card.json()["presence"] is None
    assert "persona" not in card.json()


def test_what_one_may_do_is_offered_and_nothing_else(world: World) -> None:
    deeds = ("data-mention", "data-whisper", "/direct/", 'value="role"', 'value="remove"')

    def offered(viewer: User, of: User, room: Room) -> list[bool]:
        _, page = page_of(viewer, room, str(of.pk))
        card = page.split("person-card", 1)[1].split("</section>", 1)[0]
        return [deed in card for deed in deeds]

    assert offered(world.ben, world.cleo, world.team) == [True, True, True, True, True]
    assert offered(world.cleo, world.ben, world.team) == [True, True, True, False, False]
    assert offered(world.vic, world.ben, world.team) == [False, False, True, False, False]
    assert offered(world.gus, world.ben, world.team) == [True, True, False, False, False]
    assert offered(world.ben, world.ben, world.team) == [False] * 5
    assert offered(world.ben, world.cleo, world.direct) == [False] * 5
    assert offered(world.carl, world.ada, world.support) == [True, False, False, False, False]
    assert offered(world.ada, world.carl, world.support) == [True, True, False, False, True]


def test_large_rooms_tell_nobody_who_is_here(world: World, settings) -> None:
    Presence.objects.hold("here", {world.ben.pk: "online"})
    path = f"/api/v1/rooms/{world.team.pk}/participants/{world.ben.pk}/"
    assert api_of(world.cleo).get(path).json()["presence"] == "online"
    settings.CHAT_PRESENCE_MAX_ROOM = 2
    assert api_of(world.cleo).get(path).json()["presence"] is None
    _, page = page_of(world.cleo, world.team, str(world.ben.pk))
    assert "data-presence-words" not in page


def test_the_day_somebody_was_last_here_is_kept(world: World) -> None:
    Presence.objects.hold("here", {world.ben.pk: "online"})
    Presence.objects.filter(process="here").let_go()
    assert again(world.ben).seen_on is not None
    assert not Presence.objects.exists()
