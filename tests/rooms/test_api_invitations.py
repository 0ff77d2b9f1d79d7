"""The API of links into rooms, and of guests."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Login, User
from rooms.models import Invitation, Participant
from tests.callers import TOO_LARGE, Caller, answered
from tests.rooms.test_api_rooms import everybody
from tests.world import World


def link(world: World, **how: Any) -> dict[str, Any]:
    response = Caller(world.ben).post(f"rooms/{world.team.pk}/invitations/", **how)
    assert response.status_code == 201
    return response.json()


def test_a_link_is_shown_once(world: World) -> None:
    made = link(world, role="viewer", expires_in=3600, uses=2)
    assert made["url"].endswith(f"/join/{made['token']}/")
    assert made["url"].startswith("http")
    assert (made["role"], made["uses_left"]) == ("viewer", 2)
    listed = Caller(world.ben).get(f"rooms/{world.team.pk}/invitations/").json()["results"][-1]
    assert "token" not in listed
    assert "url" not in listed
    assert {**listed, "token": made["token"], "url": made["url"]} == made
    assert listed["created_by"]["handle"] == "ben"
    left = Invitation.objects.get(pk=made["id"]).expires_at - timezone.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_only_who_manages_the_room_makes_and_lists_links(world: World) -> None:
    path = f"rooms/{world.team.pk}/invitations/"
    making = everybody(world, lambda caller: caller.post(path))
    listing = everybody(world, lambda caller: caller.get(path))
    assert (making.pop("ben"), listing.pop("ben")) == (201, 200)
    for name in ("cleo", "vic", "gus"):
        assert (making.pop(name), listing.pop(name)) == ("forbidden", "forbidden")
    assert set(making.values()) == set(listing.values()) == {"not_found"}


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"role": "owner"}, (403, "role_not_allowed")),
        ({"role": "boss"}, (400, "invalid")),
        ({"uses": 0}, (400, "invalid")),
        ({"uses": "2"}, (400, "invalid")),
        ({"uses": TOO_LARGE}, (400, "invalid")),
        ({"expires_in": -5}, (400, "invalid")),
        ({"expires_in": True}, (400, "invalid")),
        ({"expires_in": TOO_LARGE}, (400, "invalid")),
        ({"expires_in": 1.5}, (400, "invalid")),
    ],
)
def test_a_wrong_link_is_not_made(
    world: World, wrong: dict[str, Any], refusal: tuple[int, str]
) -> None:
    before = Invitation.objects.count()
    assert (
        answered(Caller(world.ben).post(f"rooms/{world.team.pk}/invitations/", **wrong)) == refusal
    )
    assert Invitation.objects.count() == before


def test_a_link_is_revoked(world: World) -> None:
    made = link(world)
    path = f"invitations/{made['id']}/"
    revoking = everybody(world, lambda caller: caller.delete(path))
    assert revoking.pop("ben") == 204
    assert {revoking.pop(name) for name in ("cleo", "vic", "gus")} == {"forbidden"}
    assert set(revoking.values()) == {"not_found"}
    assert answered(Caller(None).post("auth/guest/", invite=made["token"], name="Eve")) == (
        404,
        "not_found",
    )
    assert answered(Caller(world.ben).delete(f"invitations/{TOO_LARGE}/")) == (404, "not_found")


def test_a_link_into_a_public_room_is_hidden_from_passers_by(world: World) -> None:
    invitation, _ = world.public.create_invitation(by=world.ben)
    assert answered(Caller(world.otto).delete(f"invitations/{invitation.pk}/")) == (
        404,
        "not_found",
    )


def test_a_guest_enters_and_talks(world: World) -> None:
    made = link(world, uses=1)
    response = Caller(None).post("auth/guest/", invite=made["token"], name="Eve")
    assert response.status_code == 200
    entered = response.json()
    assert entered["user"]["kind"] == "guest"
    assert entered["user"]["name"] == "Eve"
    guest = Caller(None)
    guest.client.credentials(HTTP_AUTHORIZATION=f"Bearer {entered['access']}")
    assert [room["name"] for room in guest.get("rooms/").json()["results"]] == ["Team"]
    assert guest.say(world.team.pk).status_code == 201
    assert Login.objects.get(user=entered["user"]["id"]).kind == "guest"
    renewed = Caller(None).post("auth/token/refresh/", refresh=entered["refresh"])
    assert renewed.status_code == 200


def test_a_link_serves_as_often_as_it_says(world: World) -> None:
    made = link(world, uses=1)
    assert Caller(None).post("auth/guest/", invite=made["token"], name="One").status_code == 200
    before = User.objects.count()
    assert answered(Caller(None).post("auth/guest/", invite=made["token"], name="Two")) == (
        404,
        "not_found",
    )
    assert User.objects.count() == before


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"name": ""}, 400),
        ({"name": "x" * 81}, 400),
        ({"name": 5}, 400),
        ({"name": "a\0"}, 400),
        ({"name": "\ud800"}, 400),
        ({"invite": 5}, 400),
        ({"invite": "x" * 201}, 400),
        ({"invite": "nothing"}, 404),
    ],
)
def test_a_wrong_guest_stays_outside(world: World, wrong: dict[str, Any], refusal: int) -> None:
    made, before = link(world, uses=1), Participant.objects.count()
    response = Caller(None).post("auth/guest/", **{"invite": made["token"], "name": "Eve", **wrong})
    assert response.status_code == refusal
    assert Participant.objects.count() == before
    assert Invitation.objects.get(pk=made["id"]).uses_left == 1


def test_somebody_signed_in_takes_a_link_too(world: World) -> None:
    made, otto = link(world, uses=1), Caller(world.otto)
    assert otto.post("invitations/accept/", invite=made["token"]).json()["me"]["role"] == "member"
    assert answered(Caller(world.amy).post("invitations/accept/", invite=made["token"])) == (
        404,
        "not_found",
    )
    assert answered(Caller(None).post("invitations/accept/", invite=made["token"])) == (
        401,
        "not_authenticated",
    )


def test_guests_are_let_in_only_so_fast(world: World, settings: Any) -> None:
    settings.CHAT_THROTTLES, settings.CHAT_DOOR_RATE = True, 3
    answers = [Caller(None).post("auth/guest/", invite="x", name="Eve") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert int(answers[-1]["Retry-After"]) > 0
