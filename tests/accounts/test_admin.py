"""Accounts in the Django admin."""

import pytest
from django.test import Client

from accounts.models import AuditEntry, Login, Ticket, User
from accounts.roles import SiteRole
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "another one entirely"


@pytest.fixture
def admin(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


def change(user: User, **fields: str) -> dict[str, str]:
    return {
        "handle": user.handle,
        "name": user.name,
        "email": user.email or "",
        "role": user.site_role.value if user.site_role else "",
        **fields,
    }


@pytest.mark.parametrize("model", ["user", "login", "ticket", "auditentry"])
def test_every_list_opens_and_can_be_searched(admin: Client, ada: User, model: str) -> None:
    Ticket.objects.issue(Login.objects.start(ada, kind=Login.Kind.TOKEN))
    assert admin.get(f"/admin/accounts/{model}/").status_code == 200
    assert admin.get(f"/admin/accounts/{model}/?q=ada").status_code == 200


@pytest.mark.parametrize("model", [Login, Ticket, AuditEntry])
def test_history_is_read_only(admin: Client, ada: User, model: type) -> None:
    Ticket.objects.issue(Login.objects.start(ada, kind=Login.Kind.TOKEN))
    row = model.objects.order_by("pk").last()
    base = f"/admin/accounts/{model._meta.model_name}/"
    page = admin.get(f"{base}{row.pk}/change/")
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert admin.get(f"{base}add/").status_code == 403
    assert admin.post(f"{base}{row.pk}/change/", {}).status_code == 403
    assert admin.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


def test_secrets_are_not_shown(admin: Client, ada: User) -> None:
    login = Login.objects.start(ada, kind=Login.Kind.TOKEN)
    Ticket.objects.issue(login)
    ticket = Ticket.objects.get()
    pages = [
        admin.get(f"/admin/accounts/login/{login.pk}/change/"),
        admin.get(f"/admin/accounts/ticket/{ticket.pk}/change/"),
        admin.get(f"/admin/accounts/user/{ada.pk}/change/"),
    ]
    for page in pages:
        text = page.content.decode()
        assert login.auth_hash not in text
        assert ticket.token_hash not in text
        assert ada.password not in text


def test_the_groups_are_shown(admin: Client) -> None:
    assert "supervisor" in admin.get("/admin/auth/group/").content.decode()


def test_a_person_is_added_with_role_and_password(admin: Client, root: User) -> None:
    form = {"handle": "cleo", "name": "Cleo", "email": "", "password": NEW, "role": "agent"}
    answer = admin.post("/admin/accounts/user/add/", form)
    assert answer.status_code == 302, answer.content
    cleo = User.objects.get(handle="cleo")
    assert (cleo.site_role, cleo.check_password(NEW)) == (SiteRole.AGENT, True)
    entry = AuditEntry.objects.get(action="user.created", target_id=cleo.pk)
    assert (entry.by, entry.address) == (root, "127.0.0.1")


@pytest.mark.parametrize(
    "wrong", [{"handle": "here"}, {"handle": "Cleo"}, {"handle": "ada"}, {"password": "123"}]
)
def test_a_person_who_does_not_fit_is_not_added(admin: Client, ada: User, wrong: dict) -> None:
    form = {"handle": "cleo", "name": "Cleo", "email": "", "password": NEW, "role": "agent"}
    before = User.objects.count()
    assert admin.post("/admin/accounts/user/add/", form | wrong).status_code == 200
    assert User.objects.count() == before


def test_a_role_is_given_by_the_verb(admin: Client, ada: User, root: User) -> None:
    url = f"/admin/accounts/user/{ada.pk}/change/"
    assert admin.post(url, change(ada, role="supervisor", name="Ada L.")).status_code == 302
    ada = User.objects.get(pk=ada.pk)
    assert (ada.site_role, ada.name) == (SiteRole.SUPERVISOR, "Ada L.")
    entry = AuditEntry.objects.get(action="user.role_changed")
    assert (entry.by, entry.before, entry.after) == (
        root,
        {"role": "member"},
        {"role": "supervisor"},
    )


def test_a_refusal_is_told_not_thrown(admin: Client, root: User) -> None:
    url = f"/admin/accounts/user/{root.pk}/change/"
    page = admin.post(url, change(root, role="member"), follow=True).content.decode()
    assert "This is the last admin of the site." in page
    assert User.objects.get(pk=root.pk).is_staff


def test_a_guest_takes_no_role(admin: Client, guest: User) -> None:
    url = f"/admin/accounts/user/{guest.pk}/change/"
    assert "nobody else" in admin.post(url, change(guest, role="admin")).content.decode()
    assert admin.post(url, change(guest, name="Gustav")).status_code == 302
    assert User.objects.get(pk=guest.pk).name == "Gustav"


def test_kind_superuser_and_groups_are_not_the_forms_to_change(admin: Client, ada: User) -> None:
    url = f"/admin/accounts/user/{ada.pk}/change/"
    admin.post(url, change(ada, kind="system", is_superuser="on", is_active="", groups="4"))
    ada.refresh_from_db()
    assert (ada.kind, ada.is_superuser, ada.is_active) == ("person", False, True)
    assert [group.name for group in ada.groups.all()] == ["member"]


def test_people_are_deactivated_and_activated_by_the_verbs(
    admin: Client, ada: User, root: User, ended: list
) -> None:
    login = Login.objects.start(ada, kind=Login.Kind.TOKEN)
    chosen = {"action": "deactivate", "_selected_action": [ada.pk, root.pk]}
    page = admin.post("/admin/accounts/user/", chosen, follow=True).content.decode()
    assert "root: This is the last admin of the site." in page
    ada.refresh_from_db()
    assert not ada.is_active
    assert ended == [{"logins": [login.pk], "users": [ada.pk]}]
    admin.post("/admin/accounts/user/", {**chosen, "action": "activate"})
    ada.refresh_from_db()
    assert ada.is_active


def test_nobody_is_removed(admin: Client, ada: User) -> None:
    assert admin.post(f"/admin/accounts/user/{ada.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in admin.get("/admin/accounts/user/").content.decode()


def test_a_password_is_set_by_the_verb(admin: Client, ada: User, root: User) -> None:
    login = Login.objects.start(ada, kind=Login.Kind.TOKEN)
    url = f"/admin/accounts/user/{ada.pk}/password/"
    page = admin.get(url)
    assert page.status_code == 200
    assert "usable_password" not in page.content.decode()
    assert admin.post(url, {"password1": NEW, "password2": NEW}).status_code == 302
    login.refresh_from_db()
    ada.refresh_from_db()
    assert (ada.check_password(NEW), login.ended_at is not None) == (True, True)
    assert AuditEntry.objects.get(action="user.password_changed").by == root


def test_ones_own_password_leaves_one_signed_in(admin: Client, root: User) -> None:
    url = f"/admin/accounts/user/{root.pk}/password/"
    assert admin.post(url, {"password1": NEW, "password2": NEW}).status_code == 302
    assert admin.get("/admin/").status_code == 200


def test_a_weak_password_is_refused(admin: Client, ada: User) -> None:
    url = f"/admin/accounts/user/{ada.pk}/password/"
    assert admin.post(url, {"password1": "123", "password2": "123"}).status_code == 200
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_a_robots_password_cannot_be_set(admin: Client, parrot: User) -> None:
    url = f"/admin/accounts/user/{parrot.pk}/password/"
    assert admin.post(url, {"password1": NEW, "password2": NEW}).status_code == 403
    parrot.refresh_from_db()
    assert not parrot.has_usable_password()


def test_logins_are_ended_by_the_verb(admin: Client, ada: User, root: User, ended: list) -> None:
    login = Login.objects.start(ada, kind=Login.Kind.TOKEN)
    admin.post("/admin/accounts/login/", {"action": "end", "_selected_action": [login.pk]})
    assert ended == [{"logins": [login.pk], "users": [ada.pk]}]
    entry = AuditEntry.objects.get(action="login.ended")
    assert (entry.by, entry.target_label) == (root, "ada")


@pytest.mark.parametrize("path", ["user/", "login/", "ticket/", "auditentry/", "user/add/"])
def test_nobody_but_admins_gets_in(agnes: User, path: str) -> None:
    client = Client()
    client.force_login(agnes)
    assert client.get(f"/admin/accounts/{path}").status_code == 302
