"""The demo: an empty database becomes a place to try things in."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.roles import SiteRole
from chatmanager import demo
from messages.models import Message
from messages.overview import overview
from robots.builtin import question
from robots.models import Article, Reply, Robot, RobotSeat
from rooms.models import Room
from threads.models import Sidebar

pytestmark = pytest.mark.django_db

NAMES = ["Ada Park", "Ben Costa", "Mia Torres"]


def test_people_sign_in_with_the_password_that_was_set(settings: Any) -> None:
    settings.CHAT_DEMO_PASSWORD = "correct horse"
    call_command("demo", stdout=StringIO())
    roles = {user.handle: user.site_role for user in User.objects.filter(kind="person")}
    assert roles == {
        "admin": SiteRole.ADMIN,
        "ada": SiteRole.AGENT,
        "sue": SiteRole.SUPERVISOR,
        "ben": SiteRole.MEMBER,
        "cleo": SiteRole.MEMBER,
    }
    assert all(user.check_password("correct horse") for user in User.objects.filter(kind="person"))


def test_the_password_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    demo.make()
    said = capsys.readouterr().out
    password = said.strip().rpartition(" ")[2]
    assert User.objects.get(handle="ben").check_password(password)


def test_each_sees_what_is_for_them() -> None:
    demo.make()
    ada, ben, cleo = (User.objects.get(handle=handle) for handle in ["ada", "ben", "cleo"])
    whispers = Message.objects.filter(audience="only")
    assert whispers.visible_to(ben).exists()
    assert whispers.visible_to(cleo).exists()
    assert not whispers.visible_to(ada).exists()
    mia = User.objects.get(name="Mia Torres")
    seen = Message.objects.visible_to(mia).filter(kind="text")
    assert seen.exists()
    assert not seen.exclude(audience="everyone").exists()
    assert Room.objects.desk_for(ada).filter(state="waiting").exists()


def test_robots_answer_without_a_key() -> None:
    demo.make()
    models = {robot.user.handle: robot.model for robot in Robot.objects.select_related("user")}
    assert models == {"parrot": "builtin/parrot", "librarian": "builtin/librarian"}
    seats = {
        (seat.robot.user.handle, seat.participant.room.name) for seat in RobotSeat.objects.all()
    }
    assert seats == {
        ("parrot", "Lounge"),
        ("librarian", "Lounge"),
        ("parrot", "Release 1.0"),
        ("librarian", "Release 1.0"),
        ("librarian", "Order 4711 arrived broken"),
    }
    assert not Robot.objects.exclude(trigger=Robot.Trigger.MENTION).exists()
    assert Article.objects.published().count() == 3


def test_side_bars_are_there_for_who_may_know_of_them() -> None:
    demo.make()
    ada, ben, mia = (User.objects.get(name=name) for name in NAMES)
    known = {
        user.name: {
            sidebar.room.name: (sidebar.room.parent.name, sidebar.room.state)
            for sidebar in Sidebar.objects.visible_to(user)
        }
        for user in (ada, ben, mia)
    }
    lounge = {
        "Whom it greets": ("Lounge", "active"),
        "How the script does on staging": ("Lounge", "closed"),
    }
    among_staff = {"Monday’s batch": ("Order 4711 arrived broken", "active")}
    assert known == {"Ada Park": lounge | among_staff, "Ben Costa": lounge, "Mia Torres": {}}
    (shown,) = overview(ada, Room.objects.filter(name="Whom it greets"))
    assert (shown["unread"], shown["mentions"]) == (1, 1)
    concluded = Sidebar.objects.get(conclusion__isnull=False)
    assert concluded.conclusion.reply_to_id == concluded.anchor_id


def test_one_answer_is_there_and_none_is_asked_for_by_accident() -> None:
    demo.make()
    reply = Reply.objects.get()
    assert reply.state == Reply.State.DONE
    assert reply.message is not None
    assert (reply.message.status, reply.message.author.handle) == ("complete", "parrot")
    spoken = question([{"role": "user", "content": reply.question.body}])
    assert reply.message.body == spoken, "it is what the parrot would have said"


def test_a_database_with_people_is_left_alone() -> None:
    User.objects.create_person("eve", "Eve", None)
    with pytest.raises(CommandError):
        call_command("demo")
    assert User.objects.filter(kind="person").count() == 1
