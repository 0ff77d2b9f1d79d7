"""What ends a login, and who hears of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.errors import Forbidden, TokenInvalid
from accounts.models import Login, User

pytestmark = pytest.mark.django_db


def started(user: User, kind: Login.Kind = Login.Kind.TOKEN) -> Login:
    return Login.objects.start(user, kind=kind)


@pytest.mark.parametrize("kind", ["robot", "system"])
def test_robots_and_the_system_never_get_a_login(kind: str, parrot: User) -> None:
    user = parrot if kind == "robot" else User.objects.system()
    with pytest.raises(Forbidden):
        started(user)


def test_a_session_of_a_robot_cannot_begin(parrot: User) -> None:
    with pytest.raises(Forbidden):
        Client().force_login(parrot)


def test_the_deactivated_get_no_login(ada: User, root: User) -> None:
    ada.deactivate(by=root)
    with pytest.raises(Forbidden):
        started(ada)


def test_a_login_is_live_until_it_ends(ada: User) -> None:
    login = started(ada)
    assert login.is_live()
    assert list(Login.objects.live()) == [login]
    login.end()
    login.refresh_from_db()
    assert not login.is_live()
    assert not Login.objects.live().exists()


def test_a_login_is_live_until_it_expires(ada: User) -> None:
    login = started(ada)
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert not login.is_live()
        assert not Login.objects.live().exists()
        assert not login.renew()


def test_a_password_set_by_any_route_ends_it(ada: User) -> None:
    pair = tokens.issue(started(ada))
    ada.set_password("another one entirely")
    ada.save()
    with pytest.raises(TokenInvalid):
        Login.objects.for_access_token(pair["access"])
    with pytest.raises(TokenInvalid):
        tokens.renew(pair["refresh"])


def test_a_new_secret_key_with_the_old_as_fallback_keeps_logins(
    ada: User, settings: object
) -> None:
    login = started(ada)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert Login.objects.get(pk=login.pk).is_live()
    settings.SECRET_KEY_FALLBACKS = []
    assert not Login.objects.get(pk=login.pk).is_live()


def test_for_session_finds_the_live_login_with_its_user_in_one_query(
    ada: User, django_assert_num_queries: Callable
) -> None:
    login = started(ada, Login.Kind.SESSION)
    session = {"login": login.pk, SESSION_KEY: str(ada.pk)}
    with django_assert_num_queries(1):
        found = Login.objects.for_session(session)
        assert found is not None
        assert found.user.handle == "ada"
    login.end()
    assert Login.objects.for_session(session) is None
    assert Login.objects.for_session({}) is None


def test_a_login_found_by_its_access_token_knows_when_that_ends(ada: User) -> None:
    pair = tokens.issue(started(ada))
    found = Login.objects.for_access_token(pair["access"])
    left = found.credential_ends_at - timezone.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    assert started(ada).credential_ends_at is None
    assert found.expires_at - timezone.now() > timedelta(days=29)


def test_deactivation_ends_every_login_and_says_so(ada: User, root: User, ended: list) -> None:
    logins = [started(ada), started(ada, Login.Kind.SESSION)]
    gone = started(ada)
    gone.end()
    ended.clear()
    ada.deactivate(by=root)
    assert ended == [{"logins": [login.pk for login in logins], "users": [ada.pk]}]
    ada.deactivate(by=root)
    assert len(ended) == 1


def test_ending_an_ended_login_is_silent(ada: User, ended: list) -> None:
    login = started(ada)
    login.end()
    login.end()
    assert len(ended) == 1


def test_an_activated_person_signs_in_anew(ada: User, root: User, client: Client) -> None:
    client.force_login(ada)
    ada.deactivate(by=root)
    ada.activate(by=root)
    assert client.get("/profile/").status_code == 302
    assert started(ada).is_live()
