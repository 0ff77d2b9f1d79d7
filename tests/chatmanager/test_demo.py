"""The demo: an empty database becomes a place to try things in."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.roles import SiteRole
from chatmanager import demo
from messages.models import Message
from rooms.models import Room

pytestmark = pytest.mark.django_db


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


def test_a_database_with_people_is_left_alone() -> None:
    User.objects.create_person("eve", "Eve", None)
    with pytest.raises(CommandError):
        call_command("demo")
    assert User.objects.filter(kind="person").count() == 1
