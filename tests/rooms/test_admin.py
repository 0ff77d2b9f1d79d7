"""Rooms in the Django admin."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry
from rooms.models import Invitation, Participant, Room
from tests.world import World


@pytest.fixture
def admin(world: World) -> Client:
    client = Client()
    client.force_login(world.root)
    return client


def do(admin: Client, model: str, action: str, *rows: Any) -> str:
    """The page after an action, on which what went wrong is told."""
    sent = {"action": action, "_selected_action": [row.pk for row in rows]}
    response = admin.post(f"/admin/rooms/{model}/", sent, follow=True)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("model", ["room", "participant", "invitation"])
def test_every_list_opens_and_can_be_searched(admin: Client, world: World, model: str) -> None:
    for query in ("", "?q=ben", "?q=1"):
        assert admin.get(f"/admin/rooms/{model}/{query}").status_code == 200


@pytest.mark.parametrize("model", [Room, Participant, Invitation])
def test_rows_are_changed_by_verbs_alone(admin: Client, world: World, model: Any) -> None:
    row = model.objects.order_by("pk").first()
    base = f"/admin/rooms/{model._meta.model_name}/"
    assert admin.get(f"{base}{row.pk}/change/").status_code == 200
    assert admin.get(f"{base}add/").status_code == 403
    assert admin.post(f"{base}{row.pk}/change/", {}).status_code == 403
    assert admin.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("who", ["sue", "ada", "ben", "gus", "carl"])
def test_the_admin_is_for_site_admins(world: World, who: str) -> None:
    client = Client()
    client.force_login(world.people[who])
    for model in ("room", "participant", "invitation"):
        assert client.get(f"/admin/rooms/{model}/").status_code == 302


def test_rooms_are_closed_archived_and_reopened(admin: Client, world: World) -> None:
    def states() -> list[str]:
        return [Room.objects.get(pk=room.pk).state for room in (world.team, world.support)]

    do(admin, "room", "close", world.team, world.support)
    assert states() == ["closed", "closed"]
    assert AuditEntry.objects.filter(action="room.closed").last().by == world.root
    do(admin, "room", "archive", world.team)
    assert states() == ["archived", "closed"]
    do(admin, "room", "reopen", world.team, world.support)
    assert states() == ["active", "active"]


def test_what_cannot_be_done_is_told_and_stops_nothing_else(admin: Client, world: World) -> None:
    page = do(admin, "room", "close", world.direct, world.team)
    assert "Only those who manage this room can do this." in page
    assert Room.objects.get(pk=world.direct.pk).state == "active"
    assert Room.objects.get(pk=world.team.pk).state == "closed"


def test_people_are_removed_and_links_revoked(admin: Client, world: World) -> None:
    do(admin, "participant", "remove", world.seat(world.team, world.cleo))
    assert not Participant.objects.filter(room=world.team, user=world.cleo).exists()
    page = do(admin, "participant", "remove", world.seat(world.team, world.ben))
    assert "A room needs at least one owner." in page
    do(admin, "invitation", "revoke", Invitation.objects.get())
    assert not Invitation.objects.usable().exists()


def test_a_links_secret_is_not_shown(admin: Client, world: World) -> None:
    invitation = Invitation.objects.get()
    page = admin.get(f"/admin/rooms/invitation/{invitation.pk}/change/").content.decode()
    assert invitation.token_hash not in page


def test_rooms_are_not_searched_for_what_was_said_in_them(admin: Client, world: World) -> None:
    world.say(world.team, world.ben, "a secret")
    for words in ("messages__body__contains=secret", "attachments__name__contains=secret"):
        assert admin.get(f"/admin/rooms/room/?{words}").status_code == 400


def test_a_list_costs_the_same_however_long(admin: Client, world: World) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries() -> list[int]:
        counts = []
        for model in ("participant", "invitation", "room"):
            with CaptureQueriesContext(connection) as listing:
                admin.get(f"/admin/rooms/{model}/")
            counts.append(len(listing))
        return counts

    few = queries()
    for number in range(20):
        room = Room.objects.open(f"Room {number}", by=world.otto, people=[world.vic])
        room.create_invitation(by=world.otto)
    assert queries() == few
