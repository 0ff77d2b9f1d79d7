"""The pages of robots: who may see and set up what, and where the forms lead."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from messages.models import Message
from messages.overview import NAMELESS
from robots.models import Reply, Robot, RobotSeat
from rooms.models import Room
from rooms.modes import Role
from rooms.templatetags.pages import dollars
from tests.messages.files import PNG
from tests.pages.test_messages import statuses, wanted
from tests.world import World, again
from threads.models import Sidebar

Browse = Callable[[User], Client]

GIVEN = {
    "name": "Muse",
    "handle": "muse",
    "model": "builtin/parrot",
    "style": "default",
    "trigger": "mention",
    "enabled": "on",
    "max_tokens": "500",
    "context_window": "8000",
}


@pytest.fixture
def echo(world: World) -> Robot:
    """A robot that sits nowhere yet."""
    robot: Robot = Robot.objects.add("echo", "Echo", by=world.ada, model="builtin/parrot")
    return robot


def test_members_meet_robots_and_staff_set_them_up(
    world: World, browse: Browse, echo: Robot
) -> None:
    members = wanted(s200="root sue ada amy ben cleo vic otto", otherwise="s403")
    staff = wanted(s200="root sue ada amy", otherwise="s403")
    for path, who in {
        "/robots/": members,
        f"/robots/{echo.pk}/": members,
        "/robots/new/": staff,
        f"/robots/{echo.pk}/edit/": staff,
        f"/robots/{echo.pk}/retire/": staff,
    }.items():
        assert statuses(world, browse, lambda client, path=path: client.get(path)) == who, path


def test_talking_is_for_members(world: World, browse: Browse, echo: Robot) -> None:
    path = f"/robots/{echo.pk}/talk/"
    found = statuses(world, browse, lambda client: client.post(path, {"body": "Hello"}))
    assert found == wanted(s302="root sue ada amy ben cleo vic otto", otherwise="s403")


def test_nothing_is_set_up_by_posting_what_one_is_not_shown(
    world: World, browse: Browse, echo: Robot
) -> None:
    for person in (world.ben, world.gus, world.carl):
        client = browse(person)
        assert client.post("/robots/new/", GIVEN).status_code == 403
        assert client.post(f"/robots/{echo.pk}/edit/", GIVEN).status_code == 403
        assert client.post(f"/robots/{echo.pk}/retire/").status_code == 403
    assert again(echo).retired_at is None
    assert Robot.objects.count() == 1


def test_what_is_the_staffs_is_not_shown_to_members(
    world: World, browse: Browse, echo: Robot
) -> None:
    echo.update(by=world.root, persona="You are a secret.", model="secret/model")
    for path in ("/robots/", f"/robots/{echo.pk}/"):
        page = browse(world.ben).get(path).text
        assert "Echo" in page
        assert "secret" not in page
        assert 'class="today"' not in page
    page = browse(world.ada).get(f"/robots/{echo.pk}/").text
    assert "You are a secret." in page
    assert "secret/model" in page


def test_a_robot_switched_off_is_the_staffs_to_see(
    world: World, browse: Browse, echo: Robot
) -> None:
    echo.update(by=world.ada, enabled=False)
    assert browse(world.ben).get(f"/robots/{echo.pk}/").status_code == 404
    assert "Echo" not in browse(world.ben).get("/robots/").text
    assert "Switched off" in browse(world.ada).get("/robots/").text


def test_a_robot_is_made_with_all_its_settings(world: World, browse: Browse) -> None:
    given = {
        **GIVEN,
        "persona": "You are kind.",
        "fallbacks": "openai/gpt-4o\r\n\r\n openai/o3 ",
        "temperature": "0.4",
        "daily_tokens": "9000",
        "daily_cost": "0.25",
    }
    answer = browse(world.ada).post("/robots/new/", given)
    robot = Robot.objects.get(user__handle="muse")
    assert answer["Location"] == f"/robots/{robot.pk}/"
    assert (robot.user.name, robot.persona, robot.temperature) == ("Muse", "You are kind.", 0.4)
    assert robot.fallbacks == ["openai/gpt-4o", "openai/o3"]
    assert (robot.daily_tokens, robot.daily_cost) == (9000, Decimal("0.25"))
    assert robot.enabled


def test_what_is_wrong_stands_beside_its_field(world: World, browse: Browse) -> None:
    wrong = {
        **GIVEN,
        "handle": "ben",
        "model": "no such model!",
    }
    taken = browse(world.ada).post("/robots/new/", wrong)
    assert taken.status_code == 400
    assert re.search(r"id_handle_error", taken.text)
    model = browse(world.ada).post("/robots/new/", {**wrong, "handle": "muse"})
    assert "Name a model as litellm does" in model.text
    long = browse(world.ada).post("/robots/new/", {**GIVEN, "max_tokens": "9000"})
    assert "An answer must be shorter than the window" in long.text
    assert not Robot.objects.exists()
    assert not User.objects.filter(handle="muse").exists()


def test_a_preset_fills_in_a_persona_and_makes_nothing(world: World, browse: Browse) -> None:
    given = {"name": "Muse", "handle": "", "preset": "devils_advocate", "look": "1"}
    page = browse(world.ada).post("/robots/new/", given)
    assert page.status_code == 200
    assert "best case against it" in page.text
    assert re.search(r'name="name"[^>]*value="Muse"|value="Muse"[^>]*name="name"', page.text)
    assert re.search(r'<option value="conversational" selected', page.text)
    assert page.context["form"]["enabled"].value() is False
    ticked = browse(world.ada).post("/robots/new/", {**given, "enabled": "on"})
    assert ticked.context["form"]["enabled"].value() == "on"
    assert not Robot.objects.exists()


def test_where_the_words_go_is_set_by_site_admins_alone(
    world: World, browse: Browse, echo: Robot
) -> None:
    path = f"/robots/{echo.pk}/edit/"
    given = {**GIVEN, "api_base": "https://models.example.org/v1", "key_env": "EXAMPLE_API_KEY"}
    page = browse(world.ada).get(path).text
    assert "set by site admins" in page
    assert re.search(r'name="api_base"[^>]*disabled|disabled[^>]*name="api_base"', page)
    assert browse(world.ada).post(path, given).status_code == 302
    assert (again(echo).api_base, again(echo).key_env) == ("", "")
    assert "set by site admins" not in browse(world.root).get(path).text
    assert browse(world.root).post(path, given).status_code == 302
    assert again(echo).api_base == "https://models.example.org/v1"
    assert again(echo).key_env == "EXAMPLE_API_KEY"
    browse(world.ada).post(path, {**GIVEN, "name": "Other"})
    assert again(echo).key_env == "EXAMPLE_API_KEY"
    assert again(echo.user).name == "Other"


def test_agents_are_told_whose_models_are_theirs_to_choose(
    world: World, browse: Browse, echo: Robot
) -> None:
    path, given = f"/robots/{echo.pk}/edit/", {**GIVEN, "model": "ollama_chat/llama3.2"}
    page = browse(world.ada).post(path, given)
    assert page.status_code == 400
    assert "Only site admins may choose ollama_chat/llama3.2." in page.text
    assert "Yours to choose are models of anthropic," in page.text
    assert again(echo).model == "builtin/parrot"
    assert "Yours to choose" not in browse(world.root).get(path).text


def test_the_servers_own_secrets_are_no_robots_key(
    world: World, browse: Browse, echo: Robot
) -> None:
    given = {**GIVEN, "key_env": "CHAT_SECRET_KEY"}
    answer = browse(world.root).post(f"/robots/{echo.pk}/edit/", given)
    assert answer.status_code == 400
    assert "id_key_env_error" in answer.text


def test_retiring_takes_a_second_word(world: World, browse: Browse, echo: Robot) -> None:
    path = f"/robots/{echo.pk}/retire/"
    assert "Retire Echo?" in browse(world.ada).get(path).text
    assert again(echo).retired_at is None
    assert browse(world.ada).post(path)["Location"] == "/robots/"
    assert again(echo).retired_at is not None
    assert browse(world.ada).get(f"/robots/{echo.pk}/").status_code == 404


def test_trying_one_leads_into_the_room_with_it(world: World, browse: Browse, echo: Robot) -> None:
    answer = browse(world.ben).post(f"/robots/{echo.pk}/talk/", {"body": "Hello\r\nyou"})
    room = Room.objects.direct(echo.user, by=world.ben)
    question = room.messages.get(author=world.ben)
    assert answer["Location"] == f"/rooms/{room.pk}/#message-{question.pk}"
    assert question.body == "Hello\nyou"
    assert Reply.objects.get().question == question
    refused = browse(world.ben).post(f"/robots/{echo.pk}/talk/", {"body": ""})
    assert refused.status_code == 400


def test_nobody_is_told_whether_a_robot_is_there(world: World, browse: Browse, echo: Robot) -> None:
    room = Room.objects.direct(echo.user, by=world.ben)
    RobotSeat.objects.seat(echo, world.team, by=world.ben)
    for path in [f"/rooms/{room.pk}/", "/", f"/rooms/{world.team.pk}/people/"]:
        page = browse(world.ben).get(path).text
        assert "Echo" in page
        assert f'data-presence="{echo.user_id}"' not in page


@pytest.mark.usefixtures("within_a_day")
def test_figures_of_today_are_shown_against_the_budget(
    world: World, browse: Browse, echo: Robot
) -> None:
    echo.update(by=world.ada, daily_tokens=5000, daily_cost=Decimal("0.5"))
    room = Room.objects.direct(echo.user, by=world.ben)
    room.messages.post("hello", by=world.ben)
    reply = Reply.objects.take(Reply.objects.get().pk, worker="w")
    assert reply is not None
    page = browse(world.ada).get("/robots/").text
    assert "1 answer running" in page
    Reply.objects.filter(pk=reply.pk).update(
        tokens_in=1000, tokens_out=234, cost=Decimal("0.0128"), state="done"
    )
    page = browse(world.ada).get("/robots/").text
    assert "running" not in page
    assert "1,234 of 5,000 tokens" in page
    assert "$0.013 of $0.50" in page


def test_rooms_one_is_not_in_are_not_told_by_their_robots(
    world: World, browse: Browse, echo: Robot
) -> None:
    RobotSeat.objects.seat(echo, world.team, by=world.ben)
    path = f"/robots/{echo.pk}/"
    assert f"/rooms/{world.team.pk}/" in browse(world.cleo).get(path).text
    for stranger in (world.otto, world.ada, world.root):
        assert f"/rooms/{world.team.pk}/" not in browse(stranger).get(path).text


def test_a_side_bar_without_a_name_is_one_of_the_rooms_where_one_meets_it(
    world: World, browse: Browse, echo: Robot
) -> None:
    RobotSeat.objects.seat(echo, world.team, by=world.ben)
    sidebar = Sidebar.objects.open(world.say(world.team, world.cleo), by=world.ben)
    world.say(again(sidebar.room), world.ben, "@echo hello")
    page = browse(world.ben).get(f"/robots/{echo.pk}/").text
    assert f'<span class="card-title">{NAMELESS}</span>' in page
    assert browse(world.ada).get(f"/robots/{echo.pk}/retire/").context["rooms"] == 1


def test_customers_do_not_learn_from_it_who_serves_them(
    world: World, browse: Browse, echo: Robot
) -> None:
    RobotSeat.objects.seat(echo, world.support, by=world.ada)
    again(world.support).invite(world.otto, by=world.ada)
    path, link = f"/robots/{echo.pk}/", f'href="/rooms/{world.support.pk}/"'
    assert world.seat(world.support, world.otto).role == Role.CUSTOMER
    assert "Where you meet it" not in browse(world.otto).get(path).text
    found = browse(world.ada).get(path).text
    assert link in found[found.index("Where you meet it") :]


def test_a_room_is_opened_with_robots(world: World, browse: Browse, echo: Robot) -> None:
    off = Robot.objects.add("off", "Off", by=world.ada, model="builtin/parrot", enabled=False)
    page = browse(world.ben).get("/rooms/new/").text
    assert f'value="{echo.user_id}"' in page
    assert f'value="{off.user_id}"' not in page
    given = {"name": "Autumn", "visibility": "private", "people": "cleo", "robots": [echo.user_id]}
    browse(world.ben).post("/rooms/new/", given)
    room = Room.objects.get(name="Autumn")
    seats = dict(room.participants.values_list("user__handle", "role"))
    assert seats == {"ben": "owner", "cleo": "member", "echo": "robot"}
    people = {**given, "name": "Winter", "robots": [world.otto.pk]}
    assert browse(world.ben).post("/rooms/new/", people).status_code == 400
    assert not Room.objects.filter(name="Winter").exists()


def test_a_message_of_nobodys_robot_cannot_be_stopped(world: World, browse: Browse) -> None:
    message: Message = world.say(world.team, world.cleo)
    for deed in ("stop", "retry", "continue"):
        assert browse(world.ben).post(f"/messages/{message.pk}/{deed}/").status_code == 404


def test_a_robot_has_a_picture_or_none(world: World, browse: Browse, echo: Robot) -> None:
    path, client = f"/robots/{echo.pk}/edit/", browse(world.ada)
    wrong = SimpleUploadedFile("a.png", b"no picture")
    refused = client.post(path, {**GIVEN, "picture": wrong})
    assert refused.status_code == 400
    assert "id_picture_error" in refused.text
    assert again(echo.user).name == "Echo"
    client.post(path, {**GIVEN, "picture": SimpleUploadedFile("a.png", PNG)})
    assert again(echo.user).avatar
    client.post(path, {**GIVEN, "remove_picture": "on"})
    assert not again(echo.user).avatar


def test_prices_say_as_much_as_matters() -> None:
    prices = [None, 0, 0.0000413, Decimal("0.0123"), 0.5, 12.345]
    told = ["unknown", "nothing", "$0.000041", "$0.012", "$0.50", "$12.35"]
    assert [dollars(price) for price in prices] == told


def test_a_long_list_goes_on_where_it_ended(world: World, browse: Browse) -> None:
    for number in range(31):
        Robot.objects.add(f"r{number:02}", f"R{number:02}", by=world.ada, model="builtin/parrot")
    page = browse(world.ben).get("/robots/?q=r").text
    assert "R29" in page
    assert "R30" not in page
    assert "?q=r&amp;page=2" in page
    assert "R30" in browse(world.ben).get("/robots/?q=r&page=2").text
