"""The list of what one is told, on the page and over the API; choosing how one is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from notifications import views
from notifications.models import Notification, Preferences
from notifications.tasks import sweep_notifications
from tests.callers import Caller
from tests.live.contract import blocks, validator
from tests.world import World, again

pytestmark = pytest.mark.django_db


def page_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def call(world: World, count: int = 1) -> list[int]:
    """Have Ben mention Cleo; the newest notification first."""
    for n in range(count):
        world.say(world.team, world.ben, f"@cleo look **{n}**")
    return list(
        Notification.objects.filter(user=world.cleo).order_by("-pk").values_list("pk", flat=True)
    )


def test_the_list_says_who_where_why_and_what(world: World) -> None:
    call(world)
    answer = Caller(world.cleo).get("notifications/").json()
    (row,) = answer["results"]
    validator(blocks("shape")["notification"]).validate(row)
    assert (row["author"]["handle"], row["room"]["name"], row["reason"]) == (
        "ben",
        "Team",
        "mention",
    )
    assert row["excerpt"] == "@cleo look 0"
    assert (row["unread"], answer["unread"], answer["next"]) == (True, 1, None)
    page = page_of(world.cleo).get("/notifications/").content.decode()
    assert "mentioned you" in page
    assert f"/rooms/{world.team.pk}/?around={row['message']}#message-{row['message']}" in page


def test_a_direct_room_is_called_as_the_other_one_is(world: World) -> None:
    world.say(world.direct, world.ben, "psst")
    (row,) = Caller(world.cleo).get("notifications/").json()["results"]
    assert row["room"]["name"] == "Ben"


def test_it_comes_in_pages(world: World) -> None:
    pks = call(world, 5)
    first = Caller(world.cleo).get("notifications/", limit=3).json()
    second = Caller(world.cleo).get("notifications/", limit=3, cursor=first["next"]).json()
    assert [row["id"] for row in (*first["results"], *second["results"])] == pks
    assert second["next"] is None


def test_reading_the_room_reads_it_here_and_unreading_brings_it_back(world: World) -> None:
    call(world, 2)
    newest = world.team.messages.last()
    cleo = Caller(world.cleo)
    newest.mark_read(by=world.cleo)
    assert cleo.get("notifications/").json()["unread"] == 0
    newest.mark_unread(by=world.cleo)
    answer = cleo.get("notifications/").json()
    assert ([row["unread"] for row in answer["results"]], answer["unread"]) == ([True, False], 1)


def test_they_are_put_away_one_by_one_up_to_one_or_all(world: World) -> None:
    newest, *_, oldest = call(world, 4)
    cleo = Caller(world.cleo)
    assert cleo.post("notifications/read/", notifications=[newest]).json() == {"unread": 3}
    assert cleo.post("notifications/read/", notifications=[]).json() == {"unread": 3}
    assert cleo.post("notifications/read/", upto=oldest).json() == {"unread": 2}
    assert cleo.post("notifications/read/").json() == {"unread": 0}


def test_others_are_not_put_away(world: World) -> None:
    (pk,) = call(world)
    Caller(world.vic).post("notifications/read/", notifications=[pk])
    Caller(world.vic).post("notifications/read/")
    assert Caller(world.cleo).get("notifications/").json()["unread"] == 1
    assert Caller(world.vic).get("notifications/").json()["results"] == []


@pytest.mark.parametrize("body", [{"upto": "1"}, {"notifications": 3}, {"upto": 0}, {"upto": None}])
def test_what_does_not_fit_is_refused(world: World, body: dict[str, Any]) -> None:
    assert Caller(world.cleo).post("notifications/read/", **body).status_code == 400


def test_the_page_works_without_a_script(world: World) -> None:
    newest, *_ = call(world, 2)
    client = page_of(world.cleo)
    page = client.get("/notifications/").content.decode()
    assert page.count('class="told" data-unread') == 2
    assert "<span data-number>2</span>" in page
    client.post("/notifications/read/", {"upto": newest})
    assert 'class="told" data-unread' not in client.get("/notifications/").content.decode()
    assert client.post("/notifications/read/", {}).status_code == 400


def test_what_waits_on_later_pages_is_put_away_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "A_PAGE", 2)
    newest, second, *_ = call(world, 4)
    client = page_of(world.cleo)
    for pk in (newest, second):
        client.post("/notifications/read/", {"notification": pk})
    assert "Mark all read" in client.get("/notifications/").content.decode()
    client.post("/notifications/read/", {"upto": newest})
    assert "Mark all read" not in client.get("/notifications/").content.decode()


def test_it_is_for_those_signed_in(world: World) -> None:
    assert Client().get("/notifications/").status_code == 302
    assert Caller(None).get("notifications/").status_code == 401
    assert Caller(None).get("me/notifications/").status_code == 401


def test_what_a_list_costs_does_not_grow(world: World) -> None:
    call(world, 2)
    cleo = Caller(world.cleo)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            cleo.get("notifications/")
        return len(captured)

    few = cost()
    call(world, 20)
    assert cost() == few <= 6


def test_old_ones_go(world: World) -> None:
    new, old = call(world, 2)
    long_ago = timezone.now() - timedelta(days=31)
    Notification.objects.filter(pk=old).update(created_at=long_ago)
    sweep_notifications()
    sweep_notifications()
    assert [row.pk for row in Notification.objects.filter(user=world.cleo)] == [new]


# How one is told


def test_what_nobody_chose_is_told(world: World) -> None:
    assert Caller(world.cleo).get("me/notifications/").json() == {
        "level": "",
        "browser": True,
        "sounds": True,
        "mail": True,
        "push": True,
        "quiet_from": None,
        "quiet_until": None,
        "quiet_days": [0, 1, 2, 3, 4, 5, 6],
    }


def test_everybody_chooses_for_themselves(world: World) -> None:
    cleo = Caller(world.cleo)
    given = {"quiet_from": "22:00", "quiet_until": "07:30", "quiet_days": [0, 4], "sounds": False}
    assert {**cleo.patch("me/notifications/", **given).json()} | given == cleo.get(
        "me/notifications/"
    ).json()
    assert cleo.patch("me/notifications/", level="all").json()["quiet_from"] == "22:00"
    assert Caller(world.ben).get("me/notifications/").json()["level"] == ""
    assert Caller(world.gus).patch("me/notifications/", browser=False).json()["browser"] is False


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("level", "loud"),
        ("browser", "yes"),
        ("quiet_from", "25:00"),
        ("quiet_from", "22:00"),
        ("quiet_days", [7]),
        ("quiet_days", [1, 1]),
        ("quiet_days", "all"),
        ("quiet_days", [[1]]),
        ("quiet_days", [True]),
        ("quiet_days", None),
        ("quiet_days", ""),
        ("quiet_days", {}),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(world: World, field: str, value: object) -> None:
    answer = Caller(world.cleo).patch("me/notifications/", **{field: value})
    assert answer.status_code == 400
    expected = "quiet_until" if value == "22:00" else field
    assert list(answer.json()["error"]["details"]) == [expected]
    assert not Preferences.objects.filter(user=world.cleo).exists()


def test_the_page_of_choices_saves_them(world: World) -> None:
    client = page_of(world.cleo)
    form = {"browser": "on", "level": "all", "quiet_from": "22:00", "quiet_until": "07:00"}
    page = client.post("/notifications/settings/", {**form, "quiet_days": ["0", "6"]}, follow=True)
    assert "Your choices are saved." in page.content.decode()
    own = Preferences.objects.get(user=world.cleo)
    assert (own.browser, own.sounds, own.level, own.quiet_days) == (True, False, "all", [0, 6])
    wrong = client.post("/notifications/settings/", {"quiet_from": "22:00"})
    assert wrong.status_code == 400
    assert "Say both when the quiet hours begin and when they end." in wrong.content.decode()


@pytest.mark.parametrize("model", ["notification", "preferences"])
def test_the_admin_looks_and_does_not_touch(world: World, model: str) -> None:
    call(world)
    Preferences.objects.of(world.cleo).change(by=world.cleo, level="all")
    admin = page_of(world.root)
    assert admin.get(f"/admin/notifications/{model}/?q=cleo").status_code == 200
    assert admin.get(f"/admin/notifications/{model}/add/").status_code == 403
    row = again(
        Notification.objects.first() if model == "notification" else Preferences.objects.get()
    )
    page = admin.get(f"/admin/notifications/{model}/{row.pk}/change/")
    assert page.status_code == 200
    assert "look 0" not in page.content.decode()
