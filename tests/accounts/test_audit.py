"""The audit: what it holds, and that nothing edits it."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import origin
from accounts.models import AuditEntry, Login, User
from accounts.roles import SiteRole
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(ada: User) -> AuditEntry:
    with origin.coming_from("192.0.2.7"):
        return AuditEntry.objects.record(
            "user.tested", on=ada, by=ada, before={"a": 1}, after={"a": 2}
        )


def test_an_entry_says_who_what_on_what_before_after_when_and_from_where(
    entry: AuditEntry, ada: User
) -> None:
    kept = AuditEntry.objects.get(pk=entry.pk)
    assert (kept.by, kept.by_label, kept.action) == (ada, "ada", "user.tested")
    assert (kept.target_type, kept.target_id) == ("accounts.user", str(ada.pk))
    assert (kept.target_label, kept.before, kept.after) == ("ada", {"a": 1}, {"a": 2})
    assert (kept.at.tzinfo is not None, kept.address) == (True, "192.0.2.7")


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.save(),
        lambda entry: entry.save(force_update=True),
        lambda entry: entry.delete(),
        lambda entry: AuditEntry.objects.all().update(action="x"),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(),
        lambda entry: AuditEntry.objects.bulk_update([entry], ["action"]),
        lambda entry: AuditEntry.objects.update_or_create(pk=entry.pk, defaults={"action": "x"}),
        lambda entry: entry.by.audit_entries.all().delete(),
    ],
)
def test_no_code_path_edits_an_entry(
    entry: AuditEntry, change: Callable[[AuditEntry], object]
) -> None:
    entry.action = "x"
    with pytest.raises(AuditEntry.AppendOnly):
        change(entry)
    assert AuditEntry.objects.get(pk=entry.pk).action == "user.tested"


def test_an_entry_does_not_overwrite_one_of_the_same_id(entry: AuditEntry) -> None:
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry(pk=entry.pk, action="x").save()


def test_an_entry_stands_when_its_people_are_gone(entry: AuditEntry, ada: User) -> None:
    User.objects.filter(pk=ada.pk).delete()
    kept = AuditEntry.objects.get(pk=entry.pk)
    assert (kept.by_label, kept.target_label, kept.by_id) == ("ada", "ada", ada.pk)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_life_on_the_site_is_written_down(root: User) -> None:
    before = len(actions())
    ada = User.objects.create_person("ada", "Ada", PASSWORD, by=root)
    client = Client(REMOTE_ADDR="192.0.2.9")
    client.post("/login/", {"username": "ada", "password": "no"})
    client.post("/login/", {"username": "ada", "password": PASSWORD})
    client.post("/profile/", {"name": "Ada L.", "email": "ada@example.org"})
    new = "another one entirely"
    client.post("/password/", {"current": PASSWORD, "password": new, "again": new})
    client.post("/logout/")
    ada.set_site_role(SiteRole.AGENT, by=root)
    ada.deactivate(by=root)
    ada.activate(by=root)
    assert actions()[before:] == [
        "user.created",
        "login.failed",
        "login.started",
        "user.profile_changed",
        "user.password_changed",
        "login.ended",
        "user.role_changed",
        "user.deactivated",
        "user.activated",
    ]
    by_page = AuditEntry.objects.filter(pk__gt=0, action__startswith="login.")
    assert {entry.address for entry in by_page} == {"192.0.2.9"}
    for_ada = AuditEntry.objects.filter(target_type="accounts.user", target_id=ada.pk)
    assert for_ada.count() == 9


def test_a_failed_login_names_what_was_tried_and_nobody(client: Client, ada: User) -> None:
    client.post("/login/", {"username": "Ada", "password": "secret-guess"})
    client.post("/login/", {"username": "nobody" * 30, "password": "x"})
    known, unknown = AuditEntry.objects.filter(action="login.failed").order_by("pk")
    assert (known.target_label, known.by, known.after) == ("ada", None, {"username": "ada"})
    assert unknown.target_id == ""
    assert "secret-guess" not in str(list(AuditEntry.objects.values()))


def test_a_token_login_and_logout_are_written_down(ada: User, sign_in: Callable) -> None:
    pair = sign_in(ada)
    Client().post(
        "/api/v1/auth/logout/", {"refresh": pair["refresh"]}, content_type="application/json"
    )
    started, ended = AuditEntry.objects.filter(action__startswith="login.").order_by("pk")
    assert started.after == {"login": Login.objects.get().pk, "kind": "token"}
    assert (ended.action, ended.by) == ("login.ended", ada)
