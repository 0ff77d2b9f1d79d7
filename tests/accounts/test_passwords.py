"""Changing a password: other logins end, this one goes on."""

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.errors import Forbidden, Invalid
from accounts.models import AuditEntry, Login, User
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "another one entirely"
FORM = {"current": PASSWORD, "password": NEW, "again": NEW}


def test_on_the_page_this_session_goes_on_and_others_end(ada: User, ended: list) -> None:
    here, elsewhere = Client(), Client()
    here.force_login(ada)
    elsewhere.force_login(ada)
    other = elsewhere.session["login"]
    answer = here.post("/password/", FORM, follow=True)
    assert "Your password is changed." in answer.content.decode()
    assert here.get("/profile/").status_code == 200
    assert elsewhere.get("/profile/").status_code == 302
    assert ended == [{"logins": [other], "users": [ada.pk]}]
    ada.refresh_from_db()
    assert ada.check_password(NEW)


def test_over_the_api_these_tokens_go_on_and_others_end(
    ada: User, sign_in: Callable[..., dict[str, str]]
) -> None:
    here, elsewhere = sign_in(ada), sign_in(ada)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {here['access']}")
    answer = client.post("/api/v1/me/password/", {"current": PASSWORD, "password": NEW})
    assert answer.status_code == 204
    assert client.get("/api/v1/me/").status_code == 200
    renewed = client.post("/api/v1/auth/token/refresh/", {"refresh": here["refresh"]})
    assert renewed.status_code == 200
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {elsewhere['access']}")
    assert client.get("/api/v1/me/").status_code == 401


def test_over_the_api_with_a_session_the_session_goes_on(ada: User, client: Client) -> None:
    client.force_login(ada)
    answer = client.post(
        "/api/v1/me/password/",
        {"current": PASSWORD, "password": NEW},
        content_type="application/json",
    )
    assert answer.status_code == 204
    assert client.get("/profile/").status_code == 200


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"current": "no"}, "That is not your current password."),
        ({"again": "something else"}, "The two new passwords are not the same."),
        ({"password": "short", "again": "short"}, "too short"),
        ({"password": "password", "again": "password"}, "too common"),
    ],
)
def test_the_page_says_what_is_wrong_and_changes_nothing(
    ada: User, client: Client, change: dict, sentence: str
) -> None:
    client.force_login(ada)
    page = client.post("/password/", FORM | change)
    assert page.status_code == 200
    assert sentence in page.content.decode()
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_the_api_tells_what_is_wrong_by_field(ada: User, api_as: Callable) -> None:
    api = api_as(ada)
    wrong = api.post("/api/v1/me/password/", {"current": "no", "password": NEW})
    assert (wrong.status_code, list(wrong.json()["error"]["details"])) == (400, ["current"])
    weak = api.post("/api/v1/me/password/", {"current": PASSWORD, "password": "12345678"})
    assert (weak.status_code, list(weak.json()["error"]["details"])) == (400, ["password"])


def test_guests_have_none_to_change(guest: User, client: Client) -> None:
    client.force_login(guest)
    assert client.get("/password/").status_code == 403
    assert client.post("/password/", FORM).status_code == 403


def test_nobody_is_asked_to_sign_in_first(client: Client) -> None:
    assert client.get("/password/").url == "/login/?next=/password/"


def test_anothers_is_for_site_admins_to_change(ada: User, ben: User, root: User) -> None:
    login = Login.objects.start(ben, kind=Login.Kind.TOKEN)
    with pytest.raises(Forbidden):
        ben.change_password(NEW, by=ada)
    ben.change_password(NEW, by=root)
    login.refresh_from_db()
    assert login.ended_at is not None


def test_a_robot_has_no_password(parrot: User, root: User) -> None:
    with pytest.raises(Forbidden):
        parrot.change_password(NEW, by=root)


def test_a_weak_one_is_refused_whoever_sets_it(ben: User, root: User) -> None:
    with pytest.raises(Invalid) as refused:
        ben.change_password("ben", by=root)
    assert "password" in refused.value.details


def test_the_audit_knows_who_changed_whose(ben: User, root: User) -> None:
    ben.change_password(NEW, by=root)
    entry = AuditEntry.objects.get(action="user.password_changed")
    assert (entry.by, entry.target_label) == (root, "ben")
    assert NEW not in str((entry.before, entry.after))


def test_the_admins_own_password_page_leads_to_ours(root: User, client: Client) -> None:
    client.force_login(root)
    assert client.get("/admin/password_change/").url == "/password/"
