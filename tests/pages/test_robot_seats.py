"""The robots of a room on its pages: who sits there, as what, and having them take turns."""

from collections.abc import Callable
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client

from accounts.models import User
from robots.models import Autopilot, Robot, RobotPolicy, RobotSeat, Summary
from robots.turns import ROBOTS_MAX
from tests.pages.test_messages import statuses, wanted
from tests.world import World, again
from threads.models import Sidebar

Browse = Callable[[User], Client]


@pytest.fixture
def echo(world: World) -> Robot:
    """A robot that sits in the team room."""
    robot: Robot = Robot.objects.add("echo", "Echo", by=world.ada, model="builtin/parrot")
    RobotSeat.objects.seat(robot, world.team, by=world.ben)
    return robot


@pytest.fixture
def muse(world: World) -> Robot:
    """A robot that sits nowhere yet."""
    robot: Robot = Robot.objects.add("muse", "Muse", by=world.ada, model="builtin/parrot")
    return robot


def summarised(world: World, **how: Any) -> Summary:
    given = {"audience": "everyone", "key": "everyone", "body": "All of it.", "model": "a/b", **how}
    given |= {"after": 0, "upto": world.say(world.team, world.ben).pk, "whole": True}
    summary: Summary = Summary.objects.create(
        room=world.team, revision=world.team.revision, **given
    )
    return summary


def test_who_manages_the_room_reads_what_robots_are_told_of_its_beginning(
    world: World, browse: Browse, echo: Robot
) -> None:
    path, around = f"/rooms/{world.team.pk}/summary/", f"/rooms/{world.team.pk}/robots/"
    assert "has been too long" in browse(world.ben).get(path).text
    summary = summarised(world)
    only = {"audience": "only", "robot": echo}
    summarised(world, key="1", to=[world.ben.pk], body="To Ben <b>alone</b>.", **only)
    summarised(world, key="2", to=[world.cleo.pk], body="To Cleo.", **only)
    found = statuses(world, browse, lambda client: client.get(path))
    assert found == wanted(s200="ben", s403="cleo vic gus", otherwise="s404")
    page = browse(world.ben).get(path).text
    assert "Answers for everyone" in page
    assert f"What Echo answers {world.ben.name}" in page
    assert "To Ben &lt;b&gt;alone&lt;/b&gt;." in page
    assert f'href="/messages/{summary.upto}/"' in page
    assert "To Cleo." not in page
    assert f'href="{path}"' in browse(world.ben).get(around).text
    assert f'href="{path}"' not in browse(world.cleo).get(around).text


def test_customers_are_told_nothing_of_summaries(world: World, browse: Browse, echo: Robot) -> None:
    RobotSeat.objects.seat(echo, world.support, by=world.ada)
    path = f"/rooms/{world.support.pk}/summary/"
    assert statuses(world, browse, lambda client: client.get(path)) == wanted(
        s200="ada sue", otherwise="s404"
    )


def seats(world: World) -> set[str]:
    robots = world.team.participants.filter(role="robot", user__robot__isnull=False)
    return set(robots.values_list("user__handle", flat=True))


def test_who_is_in_a_room_sees_its_robots_and_customers_do_not(
    world: World, browse: Browse, echo: Robot, muse: Robot
) -> None:
    RobotSeat.objects.seat(echo, world.support, by=world.ada)
    team, support = world.team.pk, world.support.pk
    here = wanted(s200="ben cleo vic gus", otherwise="s404")
    staff = wanted(s200="ada sue", otherwise="s404")
    for path, who in {
        f"/rooms/{team}/robots/": here,
        f"/rooms/{team}/robots/echo/": here,
        f"/rooms/{team}/robots/muse/": wanted(s200="ben", otherwise="s404"),
        f"/rooms/{support}/robots/": staff,
        f"/rooms/{support}/robots/echo/": staff,
        f"/rooms/{support}/robots/muse/": staff,
    }.items():
        assert statuses(world, browse, lambda client, path=path: client.get(path)) == who, path


def test_who_has_robots_take_turns(world: World, browse: Browse, echo: Robot) -> None:
    team = statuses(world, browse, lambda client: client.get(f"/rooms/{world.team.pk}/autopilot/"))
    assert team == wanted(s200="ben cleo gus", s403="vic", otherwise="s404")
    support = statuses(
        world, browse, lambda client: client.get(f"/rooms/{world.support.pk}/autopilot/")
    )
    assert support == wanted(s200="ada sue", otherwise="s404")


def test_the_aside_shows_robots_apart_and_customers_none(
    world: World, browse: Browse, echo: Robot
) -> None:
    RobotSeat.objects.seat(echo, world.support, by=world.ada)
    owner = browse(world.ben).get(f"/rooms/{world.team.pk}/").text
    assert "Add a robot" in owner
    card = f"/rooms/{world.team.pk}/people/{echo.user_id}/"
    assert card in owner
    member = browse(world.cleo).get(f"/rooms/{world.team.pk}/").text
    assert "Add a robot" not in member
    assert card in member
    customer = browse(world.carl).get(f"/rooms/{world.support.pk}/").text
    assert "Echo" not in customer
    assert "Robots" not in customer


def test_a_robot_comes_in_as_it_is_or_as_somebody_else(
    world: World, browse: Browse, echo: Robot, muse: Robot
) -> None:
    client, path = browse(world.ben), f"/rooms/{world.team.pk}/robots/"
    assert "Muse" in client.get(f"{path}?q=mus").text
    assert "Muse" not in client.get(f"{path}?q=other").text
    given = {"title": "keeps the minutes", "persona": "You are neat.", "style": "bullets"}
    for page in (path, f"{path}muse/"):
        assert 'name="do" value="add"' in client.get(page).text
    added = client.post(f"{path}muse/", {**given, "do": "add"})
    assert added["Location"] == f"/rooms/{world.team.pk}/"
    seat = RobotSeat.objects.get(robot=muse)
    assert (seat.title, seat.persona, seat.style) == tuple(given.values())
    assert "keeps the minutes" in client.get(path).text
    assert "You are neat." in client.get(f"{path}muse/").text
    assert "You are neat." not in browse(world.cleo).get(f"{path}muse/").text


def test_into_a_side_bar_come_robots_of_the_room_around_it(
    world: World, browse: Browse, echo: Robot, muse: Robot
) -> None:
    anchor = world.say(world.team, world.cleo)
    sidebar = Sidebar.objects.open(anchor, by=world.ben, access="private")
    client, path = browse(world.ben), f"/rooms/{sidebar.room_id}/robots/"
    page = client.get(path).text
    assert "Echo" in page
    assert "Muse" not in page
    assert client.post(f"{path}muse/", {"do": "add"}).status_code == 404
    assert client.post(f"{path}echo/", {"do": "add"}).status_code == 302
    assert sidebar.room.participant(echo.user) is not None


def test_in_a_side_bar_it_is_shown_as_what_it_is_around_it(
    world: World, browse: Browse, echo: Robot
) -> None:
    RobotSeat.objects.get(robot=echo).update(by=world.ben, title="keeps the minutes")
    sidebar = Sidebar.objects.open(world.say(world.team, world.cleo), by=world.ben)
    client, room = browse(world.ben), f"/rooms/{sidebar.room_id}"
    card = f"{room}/people/{echo.user_id}/"
    assert "keeps the minutes" in client.get(card).text
    world.say(again(sidebar.room), world.ben, "@echo hello")
    for path in (card, f"{room}/robots/", f"{room}/robots/echo/"):
        assert "keeps the minutes" in client.get(path).text, path


def test_a_seat_is_changed_and_given_up(world: World, browse: Browse, echo: Robot) -> None:
    client, path = browse(world.ben), f"/rooms/{world.team.pk}/robots/echo/"
    filled = client.post(path, {"title": "x", "preset": "expert", "look": "1"})
    assert filled.status_code == 200
    assert "You are an expert" in filled.text
    assert RobotSeat.objects.get(robot=echo).persona == ""
    client.post(path, {"title": "", "persona": "You are brief.", "style": ""})
    assert RobotSeat.objects.get(robot=echo).persona == "You are brief."
    long = client.post(path, {"title": "x" * 81, "persona": "", "style": ""})
    assert long.status_code == 400
    assert "id_title_error" in long.text
    client.post(path, {"do": "remove"})
    assert "echo" not in seats(world)


def test_a_page_that_is_out_of_date_undoes_nothing(
    world: World, browse: Browse, echo: Robot, muse: Robot
) -> None:
    client, path = browse(world.ben), f"/rooms/{world.team.pk}/robots/"
    client.post(f"{path}echo/", {"title": "", "persona": "You are brief.", "style": ""})
    assert client.post(f"{path}echo/", {"do": "add"}).status_code == 302
    assert RobotSeat.objects.get(robot=echo).persona == "You are brief."
    for given in ({"do": "remove"}, {"title": "x", "persona": "", "style": ""}):
        assert client.post(f"{path}muse/", given).status_code == 404
    assert seats(world) == {"echo"}


def test_others_change_nothing(world: World, browse: Browse, echo: Robot, muse: Robot) -> None:
    path, before = f"/rooms/{world.team.pk}/robots/", seats(world)
    for person in (world.cleo, world.vic, world.gus):
        client = browse(person)
        client.post(f"{path}echo/", {"do": "remove"})
        client.post(f"{path}echo/", {"title": "mine", "persona": "", "style": ""})
        assert client.post(f"{path}muse/", {}).status_code == 404
        assert client.post(path, {"do": "policy", "when_busy": "refuse"}).status_code == 403
    for person in (world.otto, world.ada, world.root, world.carl):
        assert browse(person).post(f"{path}echo/", {"do": "remove"}).status_code == 404
        policy = {"do": "policy", "when_busy": "refuse"}
        assert browse(person).post(path, policy).status_code == 404
    assert seats(world) == before
    assert RobotSeat.objects.get(robot=echo).title == ""
    assert not RobotPolicy.objects.exists()


def test_what_becomes_of_questions_to_a_busy_robot_is_a_setting_of_the_room(
    world: World, browse: Browse
) -> None:
    path = f"/rooms/{world.team.pk}/robots/"
    assert 'value="queue"' in browse(world.ben).get(f"/rooms/{world.team.pk}/settings/").text
    assert "when_busy" not in browse(world.cleo).get(f"/rooms/{world.team.pk}/settings/").text
    browse(world.ben).post(path, {"do": "policy", "when_busy": "interrupt"})
    assert RobotPolicy.objects.of(world.team).when_busy == "interrupt"
    wrong = browse(world.ben).post(path, {"do": "policy", "when_busy": "never"})
    assert wrong.status_code == 400


def start(client: Client, world: World, **given: str):
    form = {"strategy": "round_robin", "goal": "Find a name", **given}
    return client.post(f"/rooms/{world.team.pk}/autopilot/", form)


def test_robots_take_turns_in_the_order_given(
    world: World, browse: Browse, echo: Robot, muse: Robot
) -> None:
    RobotSeat.objects.seat(muse, world.team, by=world.ben)
    places = {f"place-{echo.pk}": "2", f"place-{muse.pk}": "1"}
    limits = {"turns": "4", "minutes": "5", "tokens": "9000", "cost": "0.5"}
    assert start(browse(world.cleo), world, **places, **limits).status_code == 302
    session = Autopilot.objects.get()
    assert session.robots == [muse.pk, echo.pk]
    assert (session.turns, session.tokens, session.started_by) == (4, 9000, world.cleo)
    page = browse(world.ben).get(f"/rooms/{world.team.pk}/").text
    assert "0 of 4" in page
    assert "0 of 9,000" in page
    assert 'data-action="pause"' in page
    again = browse(world.ben).get(f"/rooms/{world.team.pk}/autopilot/").text
    assert "taking turns here already" in again
    assert 'value="pause"' in again


def test_a_price_that_is_not_known_holds_no_limit() -> None:
    def card(turns: int, used: float | None) -> str:
        session = {
            "state": "running",
            "robots": [],
            "turns": {"used": turns, "limit": 6},
            "tokens": {"used": 0, "limit": None},
            "cost": {"used": used, "limit": 0.5},
            "deadline": "2026-01-01T00:00:00Z",
        }
        return render_to_string("robots/_autopilot.html", {"session": session})

    assert "nothing of $0.50" in card(0, None)
    assert "unknown: the limit of $0.50 does not hold" in card(2, None)
    assert "$0.20 of $0.50" in card(2, 0.2)


def test_a_session_is_steered_however_often_its_card_has_changed(
    world: World, browse: Browse, echo: Robot, muse: Robot
) -> None:
    RobotSeat.objects.seat(muse, world.team, by=world.ben)
    client = browse(world.cleo)
    start(client, world, **{f"place-{echo.pk}": "1", f"place-{muse.pk}": "2"})
    session = Autopilot.objects.get()
    page = f"/rooms/{world.team.pk}/autopilot/"
    for action, state in [("pause", "paused"), ("resume", "running"), ("stop", "stopped")]:
        card = client.get(f"/messages/{session.card_id}/").text
        assert f'action="{page}"' in card
        assert f'value="{action}"' in card
        session.card.refresh_from_db()
        session.card.update_card(session.card.data)
        assert client.post(page, {"action": action}).status_code == 302
        assert again(session).state == state
    late = client.post(page, {"action": "stop"}, follow=True).text
    assert "This is over already." in late
    assert client.post(page, {"action": "dance"}).status_code == 400
    assert browse(world.vic).post(page, {"action": "stop"}).status_code == 403
    assert browse(world.otto).post(page, {"action": "stop"}).status_code == 404


def test_what_cannot_be_begun_says_why(
    world: World, browse: Browse, echo: Robot, muse: Robot
) -> None:
    alone = browse(world.ben).get(f"/rooms/{world.team.pk}/autopilot/").text
    assert "two robots or more" in alone
    RobotSeat.objects.seat(muse, world.team, by=world.ben)
    client = browse(world.ben)
    same = {f"place-{echo.pk}": "1", f"place-{muse.pk}": "1"}
    assert "a place of its own" in start(client, world, **same).text
    one = {f"place-{echo.pk}": "1", f"place-{muse.pk}": ""}
    for too_few in (one, {}):
        page = start(client, world, **too_few).text
        assert "Give a place to two robots at least." in page
        assert "blank" not in page
    two = {f"place-{echo.pk}": "1", f"place-{muse.pk}": "2"}
    assert "It takes 3 robots" in start(client, world, strategy="debate", **two).text
    assert start(client, world, turns="0", **two).status_code == 400
    assert start(browse(world.vic), world, **two).status_code == 403
    assert not Autopilot.objects.exists()


def test_of_many_robots_any_may_take_turns(world: World, browse: Browse, echo: Robot) -> None:
    robots = [echo]
    for number in range(ROBOTS_MAX + 1):
        robot = Robot.objects.add(f"r{number}", f"R{number}", by=world.ada, model="builtin/parrot")
        RobotSeat.objects.seat(robot, world.team, by=world.ben)
        robots.append(robot)
    client = browse(world.ben)
    form = client.get(f"/rooms/{world.team.pk}/autopilot/").context["form"]
    first = [place.value() for _, place in form.places()]
    assert first == [*range(1, ROBOTS_MAX + 1), "", ""]
    last = {f"place-{robots[-1].pk}": "1", f"place-{robots[-2].pk}": "2"}
    assert start(client, world, **last).status_code == 302
    assert Autopilot.objects.get().robots == [robots[-1].pk, robots[-2].pk]
