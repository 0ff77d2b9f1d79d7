"""The API of robots: who finds them, and who sets them up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, User
from robots.api.robots import PublicRobotSerializer, RobotSerializer
from robots.models import Robot
from rooms.models import Participant
from tests.callers import TOO_LARGE, Caller, answered
from tests.messages.files import PNG
from tests.rooms.test_api_rooms import everybody, expected
from tests.world import World, again

NEW = {"handle": "echo", "name": "Echo", "model": "builtin/parrot"}
AGENTS = ("root", "sue", "ada", "amy")
MEMBERS = ("ben", "cleo", "vic", "otto")


@pytest.fixture
def echo(world: World) -> Robot:
    return Robot.objects.add("echo", "Echo", by=world.root, model="builtin/parrot")


def test_who_finds_a_robot(world: World, echo: Robot) -> None:
    found = everybody(world, lambda caller: caller.get(f"robots/{echo.pk}/"))
    assert found == expected(yes=" ".join([*AGENTS, *MEMBERS]), otherwise="not_found")


def test_who_lists_robots(world: World, echo: Robot) -> None:
    for name in (*AGENTS, *MEMBERS, "gus", "carl", "dora"):
        results = Caller(world.people[name]).get("robots/").json()["results"]
        known = [] if name in ("gus", "carl", "dora") else [echo.pk]
        assert [robot["id"] for robot in results] == known, name


def test_members_are_told_what_is_public_and_agents_all(world: World, echo: Robot) -> None:
    for name in AGENTS:
        robot = Caller(world.people[name]).get(f"robots/{echo.pk}/").json()
        assert list(robot) == list(RobotSerializer().fields), name
    for name in MEMBERS:
        robot = Caller(world.people[name]).get(f"robots/{echo.pk}/").json()
        assert list(robot) == list(PublicRobotSerializer().fields), name
        (listed,) = Caller(world.people[name]).get("robots/").json()["results"]
        assert listed == robot


def test_robots_come_in_pages(world: World) -> None:
    for number in range(5):
        Robot.objects.add(f"r{number}", "R", by=world.root, model="builtin/parrot")
    first = Caller(world.ben).get("robots/", limit=3).json()
    rest = Caller(world.ben).get("robots/", limit=3, cursor=first["next"]).json()
    handles = [robot["handle"] for robot in first["results"] + rest["results"]]
    assert handles == [f"r{number}" for number in range(5)]
    assert rest["next"] is None


def test_who_makes_robots(world: World) -> None:
    def make(caller: Caller) -> Any:
        assert caller.user
        return caller.post("robots/", **{**NEW, "handle": f"echo-{caller.user.pk}"})

    answers = everybody(world, make)
    assert {name for name, answer in answers.items() if answer == 201} == set(AGENTS)
    assert {answers[name] for name in answers if name not in AGENTS} == {"forbidden"}
    assert Robot.objects.count() == len(AGENTS)


def test_a_robot_is_made_as_it_was_sent(world: World) -> None:
    sent = {
        **NEW,
        "model": "openai/gpt-4o-mini",
        "persona": "You know the sea.",
        "style": "bullets",
        "temperature": 0.25,
        "max_tokens": 500,
        "context_window": 8000,
        "api_base": "https://llm.example.org/v1",
        "key_env": "SEA_API_KEY",
        "trigger": "always",
        "fallbacks": ["builtin/parrot"],
        "daily_tokens": 100_000,
        "daily_cost": 2.5,
        "enabled": False,
    }
    made = Caller(world.root).post("robots/", **sent)
    assert made.status_code == 201
    robot = Robot.objects.get()
    assert made.json() == {"id": robot.pk, "user": robot.user_id, "avatar": None, **sent}
    assert robot.daily_cost == Decimal("2.5")
    assert robot.user.kind == User.Kind.ROBOT
    assert robot.created_by == world.root


def test_who_changes_a_robot(world: World, echo: Robot) -> None:
    answers = everybody(world, lambda caller: caller.patch(f"robots/{echo.pk}/", persona="Wise"))
    outside = dict.fromkeys(("gus", "carl", "dora"), "not_found")
    assert answers == expected(yes=" ".join(AGENTS), otherwise="forbidden") | outside


def test_only_what_is_sent_changes_and_it_is_written_down(world: World, echo: Robot) -> None:
    changed = Caller(world.ada).patch(f"robots/{echo.pk}/", name="Echo II", temperature=1)
    assert (changed.json()["name"], changed.json()["temperature"]) == ("Echo II", 1)
    echo = again(echo)
    assert (echo.temperature, echo.model, echo.user.name) == (1, "builtin/parrot", "Echo II")
    entry = AuditEntry.objects.get(action="robot.changed")
    assert (entry.by, entry.before, entry.after) == (
        world.ada,
        {"temperature": None},
        {"temperature": 1.0},
    )
    assert AuditEntry.objects.get(action="robot.renamed").after == {"name": "Echo II"}


def test_limits_are_taken_away_by_null(world: World, echo: Robot) -> None:
    ada = Caller(world.ada)
    limits: dict[str, Any] = {"temperature": 0, "daily_tokens": 5, "daily_cost": 0.01}
    assert limits.items() <= ada.patch(f"robots/{echo.pk}/", **limits).json().items()
    none = dict.fromkeys(limits)
    assert none.items() <= ada.patch(f"robots/{echo.pk}/", **none).json().items()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("handle", "Echo!"),
        ("handle", "robots"),
        ("handle", "ben"),
        ("handle", 5),
        ("name", ""),
        ("name", "a\0b"),
        ("model", ""),
        ("model", None),
        ("model", "https://evil.example/v1"),
        ("model", "openai/https://evil.example/v1"),
        ("model", "huggingface/http://evil.example"),
        ("model", "//evil.example"),
        ("model", "openai/../../x y"),
        ("model", "openai/gpt\n"),
        ("model", ["openai/gpt"]),
        ("persona", "a" * 8001),
        ("style", "loud"),
        ("style", ["default"]),
        ("temperature", 2.1),
        ("temperature", -0.1),
        ("temperature", "1"),
        ("temperature", True),
        ("max_tokens", 0),
        ("max_tokens", None),
        ("max_tokens", 1.5),
        ("max_tokens", 10**20),
        ("context_window", 100),
        ("context_window", "16384"),
        ("context_window", 1000),
        ("trigger", "sometimes"),
        ("fallbacks", "openai/gpt"),
        ("fallbacks", ["http://evil.example"]),
        ("fallbacks", [["openai/gpt"]]),
        ("fallbacks", ["openai/gpt"] * 6),
        ("fallbacks", None),
        ("daily_tokens", -1),
        ("daily_tokens", 2**63),
        ("daily_cost", -0.5),
        ("daily_cost", "5"),
        ("daily_cost", 0.00001),
        ("daily_cost", 10**12),
        ("api_base", "http://[::1"),
        ("enabled", "yes"),
        ("enabled", 1),
        ("enabled", None),
    ],
)
def test_what_does_not_fit_is_told_by_field(
    world: World, echo: Robot, field: str, value: Any
) -> None:
    before = again(echo).__dict__.copy()
    for answer in (
        Caller(world.root).patch(f"robots/{echo.pk}/", **{field: value}),
        Caller(world.root).post("robots/", **{**NEW, "handle": "muse", field: value}),
    ):
        assert answered(answer) == (400, "invalid")
        blamed = "max_tokens" if (field, value) == ("context_window", 1000) else field
        assert set(answer.json()["error"]["details"]) == {blamed}
    before.pop("_state")
    assert {**before, "_state": None} == {**again(echo).__dict__, "_state": None}
    assert Robot.objects.count() == 1


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity"])
def test_no_number_is_without_end(world: World, echo: Robot, number: str) -> None:
    for field in ("temperature", "daily_cost", "max_tokens"):
        raw = f'{{"{field}": {number}}}'.encode()
        answer = Caller(world.ada).client.generic(
            "PATCH", f"/api/v1/robots/{echo.pk}/", raw, content_type="application/json"
        )
        assert answered(answer) == (400, "invalid")


@pytest.mark.parametrize("missing", ["handle", "name", "model"])
def test_a_robot_has_a_handle_a_name_and_a_model(world: World, missing: str) -> None:
    answer = Caller(world.ada).post("robots/", **{k: v for k, v in NEW.items() if k != missing})
    assert answered(answer) == (400, "invalid")
    assert set(answer.json()["error"]["details"]) == {missing}
    assert not User.objects.filter(handle="echo").exists()


def test_a_robot_that_does_not_fit_leaves_no_user_behind(world: World) -> None:
    bad = {**NEW, "max_tokens": 600, "context_window": 600}
    assert answered(Caller(world.ada).post("robots/", **bad)) == (400, "invalid")
    assert not User.objects.filter(handle="echo").exists()


def test_who_retires_a_robot(world: World, echo: Robot) -> None:
    def retire(caller: Caller) -> Any:
        Robot.objects.update(retired_at=None)
        return caller.delete(f"robots/{echo.pk}/")

    answers = everybody(world, retire)
    outside = dict.fromkeys(("gus", "carl", "dora"), "not_found")
    assert answers == expected(otherwise="forbidden") | dict.fromkeys(AGENTS, 204) | outside


def test_retiring_is_no_part_of_anything_else(world: World, echo: Robot) -> None:
    """Rooms are locked before robots, round by round: the locks of a round end with it."""
    with transaction.atomic(), pytest.raises(RuntimeError):
        echo.retire(by=world.root)
    echo.refresh_from_db()
    assert echo.retired_at is None


def test_a_retired_robot_is_found_nowhere(world: World, echo: Robot) -> None:
    ben, root = Caller(world.ben), Caller(world.root)
    assert ben.post(f"rooms/{world.team.pk}/robots/", robot=echo.pk).status_code == 201
    assert root.delete(f"robots/{echo.pk}/").status_code == 204
    assert not Participant.objects.filter(user=echo.user).exists()
    assert root.get("robots/").json()["results"] == []
    for answer in (
        root.get(f"robots/{echo.pk}/"),
        root.patch(f"robots/{echo.pk}/", enabled=True),
        root.delete(f"robots/{echo.pk}/"),
        ben.post(f"rooms/{world.team.pk}/robots/", robot=echo.pk),
        ben.post("rooms/", name="New", robots=[echo.pk]),
    ):
        assert answered(answer) == (404, "not_found")


def test_a_robot_has_a_picture(world: World, echo: Robot) -> None:
    path = f"robots/{echo.pk}/avatar/"

    def put(caller: Caller, data: bytes = PNG) -> Any:
        file = SimpleUploadedFile("a.png", data)
        return caller.client.put(f"/api/v1/{path}", {"avatar": file}, format="multipart")

    shown = put(Caller(world.ada))
    assert shown.status_code == 200
    assert shown.json()["avatar"].startswith(f"/avatars/{echo.user_id}/")
    assert AuditEntry.objects.filter(action="robot.avatar_changed", by=world.ada).count() == 1
    assert answered(put(Caller(world.ben))) == (403, "forbidden")
    assert answered(put(Caller(world.carl))) == (404, "not_found")
    assert answered(put(Caller(world.ada), b"<svg/>")) == (400, "invalid")
    assert answered(Caller(world.ben).delete(path)) == (403, "forbidden")
    assert Caller(world.ada).delete(path).status_code == 204
    assert Caller(world.ada).get(f"robots/{echo.pk}/").json()["avatar"] is None


@pytest.mark.parametrize("robot", ["999999999", str(TOO_LARGE), "me"])
def test_no_robot_is_404(world: World, robot: str) -> None:
    root = Caller(world.root)
    for answer in (
        root.get(f"robots/{robot}/"),
        root.patch(f"robots/{robot}/"),
        root.delete(f"robots/{robot}/"),
    ):
        assert answered(answer) == (404, "not_found")


def test_nobody_is_asked_to_sign_in(world: World, echo: Robot) -> None:
    nobody = Caller(None)
    for path in ("robots/", f"robots/{echo.pk}/"):
        assert answered(nobody.get(path)) == (401, "not_authenticated")


def test_a_list_costs_the_same_however_long(world: World, echo: Robot) -> None:
    def queries() -> int:
        caller = Caller(world.ada)
        with CaptureQueriesContext(connection) as listing:
            caller.get("robots/")
        return len(listing)

    few = queries()
    for number in range(20):
        Robot.objects.add(f"r{number}", "R", by=world.root, model="builtin/parrot")
    assert queries() == few
