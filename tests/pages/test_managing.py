"""The people of a room, its settings, its links."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from rooms.models import Invitation
from tests.messages.test_query_counts import crowd
from tests.world import World, again

Browse = Callable[[User], Client]


def people(client: Client, room, **fields):
    return client.post(f"/rooms/{room.pk}/people/", fields, follow=True)


def test_who_manages_the_room_brings_people_in_and_out(world: World, browse: Browse) -> None:
    ben = browse(world.ben)
    assert "Otto is in." in people(ben, world.team, do="invite", user="@otto", role="viewer").text
    assert world.seat(world.team, world.otto).role == "viewer"
    people(ben, world.team, do="role", user="otto", role="member")
    assert world.seat(world.team, world.otto).role == "member"
    people(ben, world.team, do="remove", user="otto")
    assert world.team.participant(world.otto) is None


def rows(page: str) -> list[str]:
    return re.findall(r'class="card-note">@(\S+) ·', page)


def test_everybody_in_a_large_room_is_found_page_by_page_and_by_name(
    world: World, browse: Browse
) -> None:
    crowd(world.team, 120)
    ben, url = browse(world.ben), f"/rooms/{world.team.pk}/people/"
    first = ben.get(url).text
    assert rows(first)[:2] == ["ben", "parrot"]
    following = re.search(r'name="page" value="(\d+)"', first).group(1)
    last = ben.get(url, {"page": following}).text
    assert 'name="page"' not in last
    everybody = world.team.participants.values_list("user__handle", flat=True)
    assert sorted(rows(first) + rows(last)) == sorted(everybody)
    (handle,) = rows(ben.get(url, {"q": f"CROWD-{world.team.pk}-119"}).text)
    assert "Make owner" in ben.get(url, {"q": handle}).text
    assert "Nobody here is called “otto”." in ben.get(url, {"q": "otto"}).text


def test_a_customer_finds_no_more_people_than_they_are_shown(world: World, browse: Browse) -> None:
    url = f"/rooms/{world.support.pk}/people/"
    shown = rows(browse(world.carl).get(url).text)
    for handle in world.support.participants.values_list("user__handle", flat=True):
        found = rows(browse(world.carl).get(url, {"q": handle}).text)
        assert (handle in found) == (handle in shown)


@pytest.mark.parametrize(
    "deed",
    [
        {"do": "invite", "user": "otto"},
        {"do": "role", "user": "vic", "role": "owner"},
        {"do": "remove", "user": "vic"},
        {"do": "link", "expires_in": "60"},
    ],
)
def test_others_see_who_is_there_and_change_nothing(
    deed: dict[str, str], world: World, browse: Browse
) -> None:
    before = set(world.team.participants.values_list("user", "role"))
    links = Invitation.objects.count()
    for person in (world.cleo, world.vic, world.gus):
        answer = people(browse(person), world.team, **deed)
        assert answer.status_code == 200
        assert "Only those who manage this room" in answer.text
    for person in (world.otto, world.root, world.carl):
        assert people(browse(person), world.team, **deed).status_code == 404
    assert set(world.team.participants.values_list("user", "role")) == before
    assert Invitation.objects.count() == links


def test_what_cannot_be_is_told_in_a_sentence(world: World, browse: Browse) -> None:
    ben = browse(world.ben)
    assert "Nobody here has the handle" in people(ben, world.team, do="invite", user="nobody").text
    assert "at least one owner" in people(ben, world.team, do="remove", user="ben").text
    assert people(ben, world.team, do="something").status_code == 400


def test_a_link_is_shown_once_lets_in_and_is_revoked(world: World, browse: Browse) -> None:
    ben = browse(world.ben)
    page = people(ben, world.team, do="link", role="viewer", expires_in="3600", uses="1").text
    link = re.search(r'value="http://testserver(/join/[^"]+)"', page).group(1)
    assert link not in ben.get(f"/rooms/{world.team.pk}/people/").text
    otto = browse(world.otto)
    assert "Join Team" in otto.get(link).text
    assert otto.post(link)["Location"] == f"/rooms/{world.team.pk}/"
    assert world.seat(world.team, world.otto).role == "viewer"
    assert browse(world.amy).get(link).status_code == 404
    page = people(ben, world.team, do="link", expires_in="3600").text
    link = re.search(r'value="http://testserver(/join/[^"]+)"', page).group(1)
    people(ben, world.team, do="revoke", invitation=Invitation.objects.latest("pk").pk)
    assert Client().get(link).status_code == 404


def test_a_guest_gives_a_name_and_is_in_that_room_alone(world: World, browse: Browse) -> None:
    _, token = world.team.create_invitation(by=world.ben)
    stranger = Client()
    assert stranger.post(f"/join/{token}/", {"name": ""}).status_code == 400
    answer = stranger.post(f"/join/{token}/", {"name": "Gina"})
    assert answer["Location"] == f"/rooms/{world.team.pk}/"
    assert stranger.get(answer["Location"]).status_code == 200
    gina = User.objects.get(name="Gina")
    assert gina.kind == User.Kind.GUEST
    assert stranger.get(f"/rooms/{world.public.pk}/").status_code == 404


def test_settings_are_changed_by_who_manages_the_room(world: World, browse: Browse) -> None:
    path = f"/rooms/{world.team.pk}/settings/"
    given = {
        "do": "update",
        "name": "Crew",
        "description": "",
        "visibility": "private",
        "history": "joined",
    }
    assert browse(world.cleo).post(path, given).status_code == 403
    assert browse(world.otto).post(path, given).status_code == 404
    assert browse(world.ben).post(path, {**given, "name": " "}).status_code == 400
    assert again(world.team).name == "Team"
    assert browse(world.ben).post(path, given).status_code == 302
    assert (again(world.team).name, again(world.team).history) == ("Crew", "joined")


def test_a_room_is_closed_and_opened_again(world: World, browse: Browse) -> None:
    path = f"/rooms/{world.support.pk}/settings/"
    refused = browse(world.carl).post(path, {"do": "close"}, follow=True)
    assert "Only those who manage" in refused.text
    browse(world.ada).post(path, {"do": "close", "outcome": "success", "note": "all well"})
    closed = again(world.support)
    assert (closed.state, closed.outcome, closed.outcome_note) == ("closed", "success", "all well")
    assert "Archive it" in browse(world.ada).get(path).text
    browse(world.ada).post(path, {"do": "archive"})
    assert again(world.support).state == "archived"
    assert "archived" in browse(world.ada).get(f"/rooms/{world.support.pk}/").text
    browse(world.ada).post(path, {"do": "reopen"})
    assert again(world.support).state == "active"


def test_one_leaves_but_the_last_owner_stays(world: World, browse: Browse) -> None:
    path = f"/rooms/{world.team.pk}/settings/"
    assert browse(world.cleo).post(path, {"do": "leave"})["Location"] == "/"
    assert world.team.participant(world.cleo) is None
    assert "at least one owner" in browse(world.ben).post(path, {"do": "leave"}, follow=True).text


def test_preferences_are_ones_own(world: World, browse: Browse) -> None:
    given = {"preferences": "1", "muted": "true", "notify": "mentions"}
    path = f"/rooms/{world.team.pk}/me/"
    browse(world.cleo).post(path, given)
    seat = world.seat(world.team, world.cleo)
    assert (seat.muted, seat.notify) == (True, "mentions")
    assert browse(world.cleo).post(path, {**given, "notify": "never"}).status_code == 400
    assert not world.seat(world.team, world.ben).muted
