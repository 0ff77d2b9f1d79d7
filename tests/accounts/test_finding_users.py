"""Whom one may find."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from rooms.models import Room

pytestmark = pytest.mark.django_db
As = Callable[[User], APIClient]


def found(client: Client | APIClient, **query: str) -> list[str]:
    answer = client.get("/api/v1/users/", query)
    assert answer.status_code == 200, answer.content
    return [user["handle"] for user in answer.json()["results"]]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_members_find_people_and_robots_by_handle(
    ada: User, ben: User, agnes: User, root: User, parrot: User, guest: User, customer: User
) -> None:
    User.objects.system()
    for member in (ada, agnes, root):
        assert found(signed_in(member)) == ["ada", "agnes", "ben", "parrot", "root"]


def test_members_find_the_guests_of_their_rooms(ada: User, ben: User, guest: User) -> None:
    Room.objects.open("Plans", by=ada, people=[guest])
    assert guest.handle in found(signed_in(ada))
    assert guest.handle not in found(signed_in(ben))


def test_guests_and_customers_find_nobody_but_themselves(
    ada: User, parrot: User, guest: User, customer: User
) -> None:
    assert found(signed_in(guest)) == [guest.handle]
    assert found(signed_in(customer)) == [customer.handle]


def test_guests_find_who_shares_a_room_with_them(
    ada: User, ben: User, agnes: User, guest: User
) -> None:
    Room.objects.open("Plans", by=ada, people=[guest, ben])
    Room.objects.open("Other plans", by=ada, people=[agnes])
    assert found(signed_in(guest)) == ["ada", "ben", guest.handle]


def test_customers_find_agents_and_no_one_behind_the_scenes(
    agnes: User, root: User, parrot: User, customer: User
) -> None:
    room = Room.objects.open("Help", by=agnes, mode="support", people=[customer, root])
    assert room.participant(root).role == "supervisor"
    assert found(signed_in(customer)) == ["agnes", customer.handle]


def test_a_search_asks_name_and_handle_without_case(ada: User, ben: User) -> None:
    client = signed_in(ada)
    assert found(client, q="LOVE") == ["ada"]
    assert found(client, q="be") == ["ben"]
    assert found(client, q="") == ["ada", "ben"]
    assert found(client, q="%") == []
    assert found(client, q="_") == []


def test_the_deactivated_are_not_found(ada: User, ben: User, root: User) -> None:
    ben.deactivate(by=root)
    assert found(signed_in(ada)) == ["ada", "root"]


def test_who_lost_the_right_finds_only_whom_they_meet(ada: User, ben: User) -> None:
    Group.objects.get(name="member").permissions.clear()
    assert found(signed_in(ada)) == ["ada"]


def test_long_lists_come_in_pages(ada: User, settings: object) -> None:
    settings.CHAT_PAGE_SIZE = 3
    for number in range(7):
        User.objects.create_robot(f"robot-{number}", "Robot")
    client, seen, cursor = signed_in(ada), [], ""
    pages = 0
    while cursor is not None:
        answer = client.get("/api/v1/users/", {"cursor": cursor} if cursor else {}).json()
        seen += [user["handle"] for user in answer["results"]]
        cursor = answer["next"]
        pages += 1
    assert pages == 3
    assert seen == ["ada", *(f"robot-{number}" for number in range(7))]


@pytest.mark.parametrize("cursor", ["!", "é", "%00", "AA", "////", "x" * 300, "\0"])
def test_an_odd_cursor_is_invalid_by_name(ada: User, cursor: str) -> None:
    answer = signed_in(ada).get("/api/v1/users/", {"cursor": cursor})
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["cursor"])


@pytest.mark.parametrize("q", ["\0", "x" * 101])
def test_an_odd_search_is_invalid_by_name(ada: User, q: str) -> None:
    answer = signed_in(ada).get("/api/v1/users/", {"q": q})
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["q"])


def test_queries_do_not_grow_with_people(ada: User, django_assert_num_queries: Callable) -> None:
    client = signed_in(ada)
    for number in range(40):
        User.objects.create_robot(f"robot-{number}", "Robot")
    # The session, the login with its user, permissions of user and groups, the users.
    with django_assert_num_queries(5):
        found(client)


def test_nobody_finds_nobody(client: Client) -> None:
    assert client.get("/api/v1/users/").status_code == 401
