"""The API of the robots of a room: who brings them in, and as what."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry, User
from messages.models import Message
from robots.api.seats import PublicSeatSerializer, SeatSerializer
from robots.models import Reply, Robot, RobotPolicy, RobotSeat
from rooms.models import Participant, Room
from rooms.modes import Role
from tests.callers import TOO_LARGE, Caller, answered
from tests.messages.test_query_counts import queries
from tests.robots import talking
from tests.rooms.test_api_rooms import everybody, expected
from tests.threads.beside import beside
from tests.world import World, again

IN_TEAM = ("ben", "cleo", "vic", "gus")


@pytest.fixture
def echo(world: World) -> Robot:
    return Robot.objects.add("echo", "Echo", by=world.root, model="builtin/parrot")


def seats(room: Room) -> str:
    return f"rooms/{room.pk}/robots/"


def test_who_brings_a_robot_into_a_team_room(world: World, echo: Robot) -> None:
    def bring(caller: Caller) -> Any:
        Participant.objects.filter(room=world.team, user=echo.user).delete()
        return caller.post(seats(world.team), robot=echo.pk)

    answers = everybody(world, bring)
    # A guest knows of no robots that are not in a room with them.
    wanted = {"ben": 201, "cleo": "forbidden", "vic": "forbidden"}
    assert answers == expected(otherwise="not_found") | wanted


def test_who_brings_a_robot_into_a_support_room(world: World, echo: Robot) -> None:
    def bring(caller: Caller) -> Any:
        Participant.objects.filter(room=world.support, user=echo.user).delete()
        return caller.post(seats(world.support), robot=echo.pk)

    answers = everybody(world, bring)
    # Site admins manage every room; agents only those they are in.
    wanted = {"root": 201, "sue": 201, "ada": 201, "amy": "forbidden"}
    assert answers == expected(otherwise="not_found") | wanted


def test_a_robot_sits_as_a_robot(world: World, echo: Robot) -> None:
    sat = Caller(world.ben).post(
        seats(world.team), robot=echo.pk, title="Critic", persona="You doubt.", style="bullets"
    )
    assert sat.status_code == 201
    assert sat.json() == {
        "robot": echo.pk,
        "user": echo.user_id,
        "handle": "echo",
        "name": "Echo",
        "avatar": None,
        "title": "Critic",
        "trigger": "mention",
        "enabled": True,
        "persona": "You doubt.",
        "style": "bullets",
    }
    assert world.seat(world.team, echo.user).role == Role.ROBOT
    assert Caller(world.ben).say(world.team.pk, "@echo hello").status_code == 201
    assert Reply.objects.get().robot == echo


def test_what_it_is_here_is_told_as_it_comes(world: World, echo: Robot) -> None:
    """The note that it came is there before its seat is."""

    def last() -> Message:
        return Message.objects.filter(room=world.team, kind="system").latest("pk")

    Caller(world.ben).post(seats(world.team), robot=echo.pk, title="Critic")
    note = last()
    assert note.body == "Ben made Echo “Critic” here."
    (robot,) = note.data["robots"]["changed"]
    assert (robot["id"], robot["title"]) == (echo.user_id, "Critic")
    Caller(world.ben).post(seats(world.team), robot=echo.pk, title="Judge")
    assert last() == note


def test_bringing_in_again_changes_nothing(world: World, echo: Robot) -> None:
    ben = Caller(world.ben)
    ben.post(seats(world.team), robot=echo.pk, title="Critic")
    again = ben.post(seats(world.team), robot=echo.pk, title="Judge")
    assert (again.status_code, again.json()["title"]) == (200, "Critic")


def test_who_lists_the_robots_of_a_room(world: World, echo: Robot) -> None:
    for room, by in ((world.team, world.ben), (world.support, world.ada)):
        RobotSeat.objects.seat(echo, room, by=by)

    def listing(room: Room) -> dict[str, Any]:
        return everybody(world, lambda caller: caller.get(seats(room)))

    assert listing(world.team) == expected(yes=" ".join(IN_TEAM), otherwise="not_found")
    assert listing(world.public) == expected(yes="ben cleo", otherwise="not_found")
    assert listing(world.support) == expected(
        yes="root sue ada amy carl dora", otherwise="not_found"
    )


def test_customers_are_shown_no_robots(world: World, echo: Robot) -> None:
    RobotSeat.objects.seat(echo, world.support, by=world.ada)
    assert Caller(world.carl).get(seats(world.support)).json()["results"] == []
    assert len(Caller(world.ada).get(seats(world.support)).json()["results"]) == 1
    for answer in (
        Caller(world.carl).get(f"{seats(world.support)}policy/"),
        Caller(world.carl).patch(f"{seats(world.support)}policy/", when_busy="refuse"),
        Caller(world.carl).patch(f"{seats(world.support)}{echo.pk}/", title="Mine"),
        Caller(world.carl).delete(f"{seats(world.support)}{echo.pk}/"),
    ):
        assert answered(answer) == (404, "not_found")


def test_only_who_manages_the_room_is_told_the_persona(world: World, echo: Robot) -> None:
    RobotSeat.objects.seat(echo, world.team, by=world.ben, persona="You doubt.", title="Critic")
    for name in IN_TEAM:
        (seat,) = Caller(world.people[name]).get(seats(world.team)).json()["results"]
        shape = SeatSerializer if name == "ben" else PublicSeatSerializer
        assert list(seat) == list(shape().fields), name
        assert seat["title"] == "Critic"


def test_in_a_side_bar_it_is_what_it_is_around_it(world: World, echo: Robot) -> None:
    """At no further cost, however many they are; who may change it is told what is set there."""
    cast = [echo, *talking.seated(world, world.team, "ann", "bob")]
    for robot in cast:
        seat = RobotSeat.objects.seat(robot, world.team, by=world.ben)
        seat.update(by=world.ben, title="Critic")
    room = beside(world.say(world.team, world.cleo), world.ben, world.cleo).room

    def titles(by: User) -> list[str]:
        return [seat["title"] for seat in Caller(by).get(seats(room)).json()["results"]]

    def come(robot: Robot) -> int:
        """What a list with it costs."""
        RobotSeat.objects.seat(robot, room, by=world.ben)
        return queries(lambda: titles(world.cleo))

    costs = [come(robot) for robot in cast]
    assert costs[0] == costs[1] == costs[2]
    assert titles(world.cleo) == ["Critic"] * 3
    assert titles(world.ben) == [""] * 3


def test_users_without_a_robot_behind_them_are_not_listed(world: World) -> None:
    assert world.seat(world.team, world.parrot)
    assert Caller(world.ben).get(seats(world.team)).json()["results"] == []


def test_a_robot_of_a_direct_room_is_listed_and_stays(world: World, echo: Robot) -> None:
    ben = Caller(world.ben)
    room = ben.post("rooms/direct/", user=echo.user_id)
    assert room.status_code == 200
    path = f"rooms/{room.json()['id']}/robots/"
    (seat,) = ben.get(path).json()["results"]
    assert (seat["robot"], seat["title"]) == (echo.pk, "")
    assert answered(ben.delete(f"{path}{echo.pk}/")) == (403, "forbidden")
    assert answered(ben.patch(f"{path}{echo.pk}/", title="Mine")) == (403, "forbidden")


def test_who_changes_a_seat(world: World, echo: Robot) -> None:
    RobotSeat.objects.seat(echo, world.team, by=world.ben)
    path = f"{seats(world.team)}{echo.pk}/"
    answers = everybody(world, lambda caller: caller.patch(path, title="Judge"))
    inside = dict.fromkeys(IN_TEAM, "forbidden")
    assert answers == expected(otherwise="not_found") | inside | {"ben": 200}


def test_a_seat_changes_as_far_as_it_is_sent(world: World, echo: Robot) -> None:
    RobotSeat.objects.seat(echo, world.team, by=world.ben, title="Critic", persona="You doubt.")
    path = f"{seats(world.team)}{echo.pk}/"
    changed = Caller(world.ben).patch(path, persona="", style="detailed").json()
    assert (changed["title"], changed["persona"], changed["style"]) == ("Critic", "", "detailed")
    seat = RobotSeat.objects.get(robot=echo)
    assert (seat.title, seat.persona_here, seat.style_here) == ("Critic", "", "detailed")
    entry = AuditEntry.objects.get(action="robot.seat_changed")
    assert entry.before == {"persona": "You doubt.", "style": ""}


def test_who_changes_another_thing_at_the_same_moment_loses_nothing(
    world: World, echo: Robot
) -> None:
    RobotSeat.objects.seat(echo, world.team, by=world.ben, title="Critic", persona="You doubt.")
    one, other = (RobotSeat.objects.get(robot=echo) for _ in range(2))
    one.update(by=world.ben, title="Judge", style="bullets")
    other.update(by=world.ben, persona="You judge.", style="detailed")
    seat = RobotSeat.objects.get(robot=echo)
    assert (seat.title, seat.persona, seat.style) == ("Judge", "You judge.", "detailed")
    entry = AuditEntry.objects.filter(action="robot.seat_changed").latest("pk")
    assert entry.before == {"persona": "You doubt.", "style": "bullets"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "a" * 81),
        ("title", 5),
        ("title", "a\0b"),
        ("title", None),
        ("persona", "a" * 8001),
        ("style", "loud"),
        ("style", None),
    ],
)
def test_what_does_not_fit_is_told_by_field(
    world: World, echo: Robot, field: str, value: Any
) -> None:
    ben = Caller(world.ben)
    answer = ben.post(seats(world.team), **{"robot": echo.pk, field: value})
    assert answered(answer) == (400, "invalid")
    assert set(answer.json()["error"]["details"]) == {field}
    RobotSeat.objects.seat(echo, world.team, by=world.ben)
    assert answered(ben.patch(f"{seats(world.team)}{echo.pk}/", **{field: value})) == (
        400,
        "invalid",
    )


@pytest.mark.parametrize("robot", [None, "1", True, TOO_LARGE, 0, [1]])
def test_a_robot_is_named_by_a_number(world: World, robot: Any) -> None:
    assert answered(Caller(world.ben).post(seats(world.team), robot=robot)) == (400, "invalid")


def test_what_is_no_robot_is_not_seated(world: World) -> None:
    for pk in (world.otto.pk, 999_999_999):
        answer = Caller(world.ben).post(seats(world.team), robot=pk)
        assert answered(answer) == (404, "not_found")


def test_nobody_comes_into_a_closed_room(world: World, echo: Robot) -> None:
    world.team.close(by=world.ben)
    answer = Caller(world.ben).post(seats(world.team), robot=echo.pk)
    assert answered(answer) == (409, "room_closed")


def test_one_that_retired_meanwhile_stays_out(world: World, echo: Robot) -> None:
    read_before = again(echo)
    echo.retire(by=world.root)
    with pytest.raises(Robot.Retired):
        RobotSeat.objects.seat(read_before, world.team, by=world.ben)
    assert world.team.participant(echo.user) is None


def test_who_takes_a_robot_out(world: World, echo: Robot) -> None:
    def take(caller: Caller) -> Any:
        RobotSeat.objects.seat(echo, world.team, by=world.ben)
        return caller.delete(f"{seats(world.team)}{echo.pk}/")

    answers = everybody(world, take)
    inside = dict.fromkeys(IN_TEAM, "forbidden")
    assert answers == expected(otherwise="not_found") | inside | {"ben": 204}


def test_a_robot_that_is_not_there_is_404(world: World, echo: Robot) -> None:
    ben, path = Caller(world.ben), f"{seats(world.team)}{echo.pk}/"
    assert answered(ben.delete(path)) == (404, "not_found")
    assert answered(ben.patch(path, title="Critic")) == (404, "not_found")


class TestPolicy:
    def test_who_reads_it(self, world: World) -> None:
        answers = everybody(world, lambda caller: caller.get(f"{seats(world.team)}policy/"))
        assert answers == expected(yes=" ".join(IN_TEAM), otherwise="not_found")
        assert Caller(world.vic).get(f"{seats(world.team)}policy/").json() == {"when_busy": "queue"}

    def test_who_chooses_it(self, world: World) -> None:
        answers = everybody(
            world, lambda caller: caller.patch(f"{seats(world.team)}policy/", when_busy="refuse")
        )
        inside = dict.fromkeys(IN_TEAM, "forbidden")
        assert answers == expected(otherwise="not_found") | inside | {"ben": 200}
        assert RobotPolicy.objects.of(world.team).when_busy == "refuse"
        assert AuditEntry.objects.get(action="room.robot_policy").before == {"when_busy": "queue"}

    @pytest.mark.parametrize("chosen", ["later", None, 5, ["queue"]])
    def test_it_is_one_of_three(self, world: World, chosen: Any) -> None:
        answer = Caller(world.ben).patch(f"{seats(world.team)}policy/", when_busy=chosen)
        assert answered(answer) == (400, "invalid")


class TestAtOnce:
    """A room that is made with its robots."""

    def test_they_are_in_it_from_the_start(self, world: World, echo: Robot) -> None:
        ben = Caller(world.ben)
        made = ben.post("rooms/", name="New", people=[world.cleo.pk], robots=[echo.pk, echo.pk])
        assert made.status_code == 201
        room = Room.objects.get(pk=made.json()["id"])
        assert world.seat(room, echo.user).role == Role.ROBOT
        (seat,) = ben.get(seats(room)).json()["results"]
        assert (seat["robot"], seat["persona"]) == (echo.pk, "")
        changed = ben.patch(f"{seats(room)}{echo.pk}/", title="Critic")
        assert changed.json()["title"] == "Critic"
        ben.say(room.pk, "@echo hello")
        assert Reply.objects.count() == 1

    def test_an_agent_brings_one_to_a_room_that_waits(self, world: World, echo: Robot) -> None:
        made = Caller(world.ada).post(
            "rooms/", name="Help", mode="support", on_behalf_of=world.carl.pk, robots=[echo.pk]
        )
        assert made.status_code == 201
        assert made.json()["state"] == "waiting"
        assert Participant.objects.filter(room=made.json()["id"], user=echo.user).exists()

    def test_one_that_is_not_there_makes_no_room(self, world: World, echo: Robot) -> None:
        rooms = Room.objects.count()
        for robots in ([echo.pk, 999_999_999], [world.otto.pk]):
            answer = Caller(world.ben).post("rooms/", name="New", robots=robots)
            assert answered(answer) == (404, "not_found")
        for wrong in ("all", [True], [str(echo.pk)], [TOO_LARGE], None):
            answer = Caller(world.ben).post("rooms/", name="New", robots=wrong)
            assert answered(answer) == (400, "invalid")
        assert Room.objects.count() == rooms

    def test_they_are_not_brought_in_as_people(self, world: World, echo: Robot) -> None:
        ben = Caller(world.ben)
        answers = [
            ben.post("rooms/", name="New", people=[echo.user_id]),
            ben.post(f"rooms/{world.team.pk}/participants/", user=echo.user_id),
            ben.post(f"rooms/{world.team.pk}/participants/", user=echo.user_id, role="member"),
        ]
        assert [answered(answer) for answer in answers] == [(400, "invalid")] * 3
        assert User.objects.filter(participations__room=world.team, handle="echo").count() == 0
