"""What people say of themselves for a while: setting it, who is told, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import status
from accounts.errors import Invalid
from accounts.models import User
from accounts.signals import status_changed
from accounts.tasks import sweep_statuses
from live.people import people_of
from tests.world import World, again, expected


def api_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def told(world: World, room: str, viewer: User, of: User) -> object:
    """What the people of a room are told with, in `joined` and on pages."""
    seat = world.seat(getattr(world, room), viewer)
    found = {person["id"]: person for person in people_of(seat, ())}
    return found[of.pk].get("status")


def test_people_of_the_site_have_one_and_nobody_else(world: World) -> None:
    said = world.answers(lambda user: user.set_status("🌴", "Away", until=None, by=user))
    people = "root sue ada amy ben cleo vic dee otto"
    assert said == expected(yes=people, otherwise="forbidden")


def test_nobody_speaks_for_others_but_admins_may_silence_them(world: World) -> None:
    said = world.answers(lambda user: world.ben.set_status("🌴", "", until=None, by=user))
    assert said == expected(yes="ben", otherwise="forbidden")
    world.ben.set_status("🌴", "Away", until=None, by=world.ben)
    cleared = world.answers(lambda user: again(world.ben).clear_status(by=user))
    assert cleared == expected(yes="ben root system", otherwise="forbidden")


def test_it_is_set_and_cleared_over_the_api(world: World) -> None:
    api = api_of(world.ben)
    until = timezone.now() + timedelta(hours=1)
    body = {"status": {"emoji": "📅", "text": "  In a \n meeting ", "expires_at": until}}
    said = api.patch("/api/v1/me/", body, format="json").json()["status"]
    assert (said["emoji"], said["text"]) == ("📅", "In a meeting")
    assert said["expires_at"] == until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert api.patch("/api/v1/me/", {"name": "Benny"}, format="json").json()["status"] == said
    assert api.patch("/api/v1/me/", {"status": None}, format="json").json()["status"] is None


def test_words_without_an_emoji_have_one_of_speech(world: World) -> None:
    said = api_of(world.ben).patch("/api/v1/me/", {"status": {"text": "Hi"}}, format="json").json()
    assert said["status"] == {"emoji": "💬", "text": "Hi", "expires_at": None}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"emoji": "", "text": " "},
        {"emoji": "no emoji"},
        {"emoji": "x"},
        {"emoji": "🌴", "text": "x" * 101},
        {"emoji": "🌴", "expires_at": "2020-01-01T00:00:00Z"},
        {"emoji": "🌴", "text": "a\0b"},
        "🌴",
    ],
)
def test_what_is_no_status_changes_nothing(world: World, wrong: object) -> None:
    body = {"name": "Other", "status": wrong}
    answer = api_of(world.ben).patch("/api/v1/me/", body, format="json")
    assert answer.status_code == 400
    assert (again(world.ben).name, again(world.ben).status) == ("Ben", None)


def test_colleagues_are_told_and_guests_and_customers_are_not(world: World) -> None:
    world.ben.set_status("🌴", "On holiday", until=None, by=world.ben)
    world.ada.set_status("🎧", "", until=None, by=world.ada)
    assert told(world, "team", world.cleo, world.ben)["text"] == "On holiday"
    assert told(world, "team", world.vic, world.ben)["emoji"] == "🌴"
    assert told(world, "team", world.gus, world.ben) is None
    assert told(world, "support", world.sue, world.ada)["emoji"] == "🎧"
    assert told(world, "support", world.carl, world.ada) is None
    for viewer, seen in ((world.cleo, True), (world.gus, False)):
        found = api_of(viewer).get(f"/api/v1/rooms/{world.team.pk}/participants/").json()["results"]
        (ben,) = (person for person in found if person["handle"] == "ben")
        assert bool(ben.get("status")) is seen


def test_what_is_over_is_told_to_nobody_and_is_swept(world: World) -> None:
    world.ben.set_status("🌴", "", until=timezone.now() + timedelta(hours=1), by=world.ben)
    world.cleo.set_status("🎧", "", until=timezone.now() + timedelta(hours=1), by=world.cleo)
    User.objects.filter(pk=world.ben.pk).update(status_until=timezone.now())
    assert told(world, "team", world.vic, world.ben) is None
    heard: list[str] = []
    status_changed.connect(hear := lambda user, **_: heard.append(user.handle))
    try:
        sweep_statuses()
        sweep_statuses()
    finally:
        status_changed.disconnect(hear)
    assert heard == ["ben"]
    assert (again(world.ben).status_emoji, again(world.cleo).status_emoji) == ("", "🎧")


def test_a_new_one_is_not_swept_with_the_old(world: World) -> None:
    world.ben.set_status("🌴", "", until=timezone.now() + timedelta(hours=1), by=world.ben)
    User.objects.filter(pk=world.ben.pk).update(status_until=timezone.now())
    old = again(world.ben)
    again(world.ben).set_status("🎧", "", until=None, by=world.ben)
    old.end_status()
    assert again(world.ben).status_emoji == "🎧"


def test_a_day_ends_at_midnight_and_a_week_with_sunday_of_who_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)  # a Wednesday; in Tokyo Thursday morning
    monkeypatch.setattr("accounts.status.timezone.now", lambda: now)
    tokyo = ZoneInfo("Asia/Tokyo")
    assert status.end_of("today", ZoneInfo("UTC")) == datetime(2026, 11, 19, tzinfo=UTC)
    assert status.end_of("today", tokyo) == datetime(2026, 11, 20, tzinfo=tokyo)
    assert status.end_of("week", tokyo) == datetime(2026, 11, 23, tzinfo=tokyo)
    assert status.end_of("1h", tokyo) == now + timedelta(hours=1)
    assert status.end_of("", tokyo) is None
    with pytest.raises(Invalid):
        status.end_of("never", tokyo)


def test_who_corrects_it_keeps_its_end(world: World) -> None:
    client = Client()
    client.force_login(world.ben, backend="django.contrib.auth.backends.ModelBackend")
    assert 'value="kept"' not in client.get("/status/").text
    client.post("/status/", {"emoji": "🦷", "text": "At the dentits", "after": "4h"})
    until = again(world.ben).status_until
    form = client.get("/status/").context["form"]
    assert form["after"].value() == "kept"
    client.post("/status/", {**form.initial, "text": "At the dentist"})
    assert again(world.ben).status_text == "At the dentist"
    assert again(world.ben).status_until == until
    client.post("/status/", {**form.initial, "after": ""})
    assert again(world.ben).status_until is None


def test_the_page_says_changes_and_clears_it_without_a_script(world: World, client: Client) -> None:
    client.force_login(world.ben, backend="django.contrib.auth.backends.ModelBackend")
    client.post("/status/", {"emoji": "🦷", "text": "At the dentist", "after": "4h"})
    assert again(world.ben).status["text"] == "At the dentist"
    assert "At the dentist" in client.get("/profile/").content.decode()
    assert "At the dentist" in client.get("/status/").content.decode()
    client.post("/status/", {"preset": "holiday"})
    assert again(world.ben).status == {"emoji": "🌴", "text": "On holiday", "expires_at": None}
    wrong = client.post("/status/", {"emoji": "nope", "text": "", "after": ""})
    assert "Choose an emoji." in wrong.content.decode()
    client.post("/status/", {"clear": "yes"})
    assert again(world.ben).status is None
    client.force_login(world.gus, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/status/").status_code == 404
