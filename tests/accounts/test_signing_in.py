"""The page one signs in at."""

import pytest
from django.test import Client

from accounts.models import AuditEntry, Login, User
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def enter(client: Client, username: str, password: str = PASSWORD, **more: str) -> object:
    return client.post("/login/", {"username": username, "password": password, **more})


def test_the_page_has_a_labelled_form(client: Client) -> None:
    page = client.get("/login/").content.decode()
    assert 'for="id_username"' in page
    assert 'for="id_password"' in page


def test_signing_in_makes_a_login_and_leads_home(client: Client, ada: User) -> None:
    response = enter(client, "ada")
    assert (response.status_code, response.url) == (302, "/")
    login = Login.objects.get()
    assert (login.user, login.kind, login.address) == (ada, "session", "127.0.0.1")
    assert client.session["login"] == login.pk
    assert client.get("/profile/").status_code == 200


def test_handles_are_typed_as_one_likes(client: Client, ada: User) -> None:
    assert enter(client, "ADA").status_code == 302


def test_next_leads_on_within_this_site(client: Client, ada: User) -> None:
    assert enter(client, "ada", next="/profile/").url == "/profile/"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil"]
)
def test_next_never_leads_elsewhere(client: Client, ada: User, elsewhere: str) -> None:
    assert enter(client, "ada", next=elsewhere).url == "/"


def test_a_wrong_password_says_nothing_of_who_exists(client: Client, ada: User) -> None:
    wrong = enter(client, "ada", "no").content.decode()
    unknown = enter(client, "nobody", "no").content.decode()
    sentence = "User name and password do not go together."
    assert sentence in wrong
    assert sentence in unknown
    assert not Login.objects.exists()


@pytest.mark.parametrize("kind", ["guest", "customer", "robot", "system"])
def test_those_without_a_password_cannot_sign_in(client: Client, kind: str) -> None:
    user = {
        "guest": lambda: User.objects.create_guest("G"),
        "customer": lambda: User.objects.create_customer("C"),
        "robot": lambda: User.objects.create_robot("parrot", "Parrot"),
        "system": User.objects.system,
    }[kind]()
    for password in ("", "!", user.password):
        assert enter(client, user.handle, password).status_code == 200
    assert not Login.objects.exists()


@pytest.mark.parametrize("kind", ["robot", "system"])
def test_robots_cannot_sign_in_even_if_a_password_finds_its_way_into_their_row(
    client: Client, kind: str, ada: User
) -> None:
    User.objects.filter(pk=ada.pk).update(kind=kind)
    assert enter(client, "ada").status_code == 200
    assert not Login.objects.exists()


def test_a_deactivated_person_cannot_sign_in(client: Client, ada: User, root: User) -> None:
    ada.deactivate(by=root)
    assert enter(client, "ada").status_code == 200
    assert not Login.objects.exists()


def test_ten_wrong_passwords_lock_the_name_out_from_that_address(
    client: Client, ada: User, ben: User
) -> None:
    for _ in range(9):
        assert enter(client, "ada", "no").status_code == 200
    # `Ada` is the same name.
    assert enter(client, "Ada", "no").status_code == 429
    refused = enter(client, "ada")
    assert refused.status_code == 429
    assert "Too many wrong passwords" in refused.content.decode()
    assert enter(client, "ben").status_code == 302
    assert enter(Client(REMOTE_ADDR="10.0.0.9"), "ada").status_code == 302


def test_tries_during_a_lockout_are_not_written_down(client: Client, ada: User) -> None:
    for _ in range(15):
        enter(client, "ada", "no")
    assert AuditEntry.objects.filter(action="login.failed").count() == 10


def test_the_admins_login_page_locks_out_too(client: Client, root: User) -> None:
    form = {"username": "root", "password": "no", "next": "/admin/"}
    for name in ["root", "Root"] * 5:  # one name, however it is typed
        refused = client.post("/admin/login/", {**form, "username": name})
    assert refused.status_code == 429
    assert client.post("/admin/login/", {**form, "password": PASSWORD}).status_code == 429


def test_signing_out_ends_the_login(client: Client, ada: User, ended: list) -> None:
    enter(client, "ada")
    login = Login.objects.get()
    left = client.post("/logout/")
    assert left.status_code == 302
    assert left["Clear-Site-Data"] == '"cache"'  # pages and pictures the browser kept
    login.refresh_from_db()
    assert login.ended_at is not None
    assert ended == [{"logins": [login.pk], "users": [ada.pk]}]
    assert client.get("/profile/").status_code == 302


def test_a_link_cannot_sign_one_out(client: Client, ada: User) -> None:
    enter(client, "ada")
    assert client.get("/logout/").status_code == 405
    assert client.get("/profile/").status_code == 200


def test_a_session_is_nobodys_once_its_login_is_over(client: Client, ada: User) -> None:
    enter(client, "ada")
    Login.objects.get().end()
    assert client.get("/profile/").status_code == 302
    assert "_auth_user_id" not in client.session


def test_a_session_that_names_anothers_login_is_nobodys(
    client: Client, ada: User, ben: User
) -> None:
    client.force_login(ada)
    other = Login.objects.start(ben, kind=Login.Kind.SESSION)
    session = client.session
    session["login"] = other.pk
    session.save()
    assert client.get("/profile/").status_code == 302


def test_a_session_without_a_login_is_nobodys(client: Client, ada: User) -> None:
    client.force_login(ada)
    session = client.session
    del session["login"]
    session.save()
    assert client.get("/profile/").status_code == 302


def test_a_session_in_use_is_renewed_past_half_its_time(client: Client, ada: User) -> None:
    client.force_login(ada)
    login = Login.objects.get()
    expires_at = login.expires_at
    login.expires_at -= login.Kind.SESSION.lifetime() * 0.6
    login.save()
    client.get("/profile/")
    login.refresh_from_db()
    assert login.expires_at >= expires_at


def test_a_guest_session_says_so(client: Client, guest: User) -> None:
    client.force_login(guest)
    assert Login.objects.get().kind == "guest"
    assert client.get("/profile/").status_code == 200


def test_knowing_who_asks_takes_one_query(
    client: Client, ada: User, django_assert_num_queries: object
) -> None:
    client.force_login(ada)
    # The session, the login with its user, the site role that `me` shows.
    with django_assert_num_queries(3):
        assert client.get("/api/v1/me/").json()["handle"] == "ada"
