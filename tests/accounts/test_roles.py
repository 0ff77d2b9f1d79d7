"""Site roles: a ladder of groups."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client

from accounts.errors import Forbidden
from accounts.models import AuditEntry, Login, User
from accounts.roles import LADDER, SiteRole
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def holders(db: None) -> dict[SiteRole, User]:
    return {
        role: User.objects.create_person(role.value, role.label, PASSWORD, role)
        for role in SiteRole
    }


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_each_role_includes_those_before_it(holders: dict[SiteRole, User]) -> None:
    for place, role in enumerate(LADDER):
        assert [holders[role].is_at_least(other) for other in LADDER] == [
            other_place <= place for other_place in range(len(LADDER))
        ]


def test_migrate_makes_a_group_for_each_with_the_rights_of_those_before() -> None:
    held = {
        role: set(Group.objects.get(name=role.value).permissions.values_list("pk", flat=True))
        for role in LADDER
    }
    assert held[SiteRole.MEMBER] < held[SiteRole.AGENT] < held[SiteRole.SUPERVISOR]
    assert held[SiteRole.ADMIN] == set(Permission.objects.values_list("pk", flat=True))


def test_migrating_again_mends_groups_and_keeps_what_was_added() -> None:
    member = Group.objects.get(name="member")
    extra = Permission.objects.get(codename="view_login")
    member.permissions.set([extra])
    Group.objects.get(name="agent").delete()
    call_command("migrate", verbosity=0)
    assert {"list_users", "view_login"} <= set(
        member.permissions.values_list("codename", flat=True)
    )
    assert Group.objects.filter(name="agent").exists()


@pytest.mark.django_db(transaction=True)
def test_the_groups_are_there_again_after_a_flush() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert set(Group.objects.values_list("name", flat=True)) == set(SiteRole.values)
    assert User.objects.create_person("ada", "Ada", PASSWORD).site_role == SiteRole.MEMBER


def test_only_people_have_a_role(guest: User, customer: User, parrot: User) -> None:
    for user in (guest, customer, parrot, User.objects.system()):
        user.groups.add(Group.objects.get(name="admin"))
        assert fresh(user).site_role is None
        assert not fresh(user).is_at_least(SiteRole.MEMBER)
        assert not fresh(user).is_staff


def test_only_admins_enter_the_admin(holders: dict[SiteRole, User], client: Client) -> None:
    for role, user in holders.items():
        client.force_login(user)
        expected = 200 if role is SiteRole.ADMIN else 302
        assert client.get("/admin/").status_code == expected, role


def test_a_superuser_is_an_admin_without_any_group() -> None:
    boss = User.objects.create_superuser("boss", PASSWORD)
    boss.groups.clear()
    assert fresh(boss).site_role == SiteRole.ADMIN


def test_the_deactivated_hold_nothing(holders: dict[SiteRole, User], root: User) -> None:
    holders[SiteRole.ADMIN].deactivate(by=root)
    assert not holders[SiteRole.ADMIN].is_at_least(SiteRole.MEMBER)


def test_the_role_is_asked_for_once(ada: User, django_assert_num_queries: Callable) -> None:
    ada = fresh(ada)
    with django_assert_num_queries(1):
        assert ada.is_at_least(SiteRole.MEMBER)
        assert not ada.is_at_least(SiteRole.AGENT)


def test_an_admin_gives_a_role_and_it_is_written_down(ada: User, root: User) -> None:
    ada.set_site_role(SiteRole.SUPERVISOR, by=root)
    assert ada.site_role == fresh(ada).site_role == SiteRole.SUPERVISOR
    assert [group.name for group in ada.groups.all()] == ["supervisor"]
    entry = AuditEntry.objects.get(action="user.role_changed")
    assert (entry.by, entry.target_label) == (root, "ada")
    assert (entry.before, entry.after) == ({"role": "member"}, {"role": "supervisor"})


def test_giving_the_same_role_changes_nothing(ada: User, root: User) -> None:
    ada.set_site_role(SiteRole.MEMBER, by=root)
    assert not AuditEntry.objects.filter(action="user.role_changed").exists()


def test_roles_are_for_admins_to_give(holders: dict[SiteRole, User], ada: User) -> None:
    for role in (SiteRole.MEMBER, SiteRole.AGENT, SiteRole.SUPERVISOR):
        with pytest.raises(Forbidden):
            ada.set_site_role(SiteRole.ADMIN, by=holders[role])
    ada.set_site_role(SiteRole.ADMIN, by=User.objects.system())
    assert ada.is_staff


def test_roles_are_for_people_to_have(root: User, parrot: User, guest: User) -> None:
    for user in (parrot, guest, User.objects.system()):
        with pytest.raises(Forbidden):
            user.set_site_role(SiteRole.ADMIN, by=root)


def test_a_role_change_ends_no_login(ada: User, root: User) -> None:
    login = Login.objects.start(ada, kind=Login.Kind.TOKEN)
    ada.set_site_role(SiteRole.AGENT, by=root)
    assert Login.objects.get(pk=login.pk).is_live()


def test_the_last_admin_stays(root: User) -> None:
    with pytest.raises(User.LastAdmin):
        root.set_site_role(SiteRole.MEMBER, by=root)
    with pytest.raises(User.LastAdmin):
        root.deactivate(by=root)
    other = User.objects.create_person("other", "Other", PASSWORD, SiteRole.ADMIN)
    other.deactivate(by=root)
    with pytest.raises(User.LastAdmin):
        root.set_site_role(SiteRole.MEMBER, by=root)
    other.activate(by=root)
    root.set_site_role(SiteRole.MEMBER, by=root)
    assert not fresh(root).is_staff


def test_deactivating_is_for_admins(ada: User, ben: User, root: User) -> None:
    with pytest.raises(Forbidden):
        ada.deactivate(by=ben)
    ada.deactivate(by=root)
    with pytest.raises(Forbidden):
        ada.activate(by=ben)
    with pytest.raises(Forbidden):
        User.objects.system().deactivate(by=root)
