"""Who there is: kinds, handles, names, addresses."""

from collections import Counter

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from accounts.errors import Invalid
from accounts.models import User
from accounts.roles import SiteRole
from tests.accounts.conftest import PASSWORD
from tests.race import race

pytestmark = pytest.mark.django_db


def person(handle: str, name: str = "Somebody", **more: str) -> User:
    return User.objects.create_person(handle, name, PASSWORD, **more)


@pytest.mark.parametrize("handle", ["a", "ada", "a.b-c_d", "0x", "a" * 32])
def test_a_handle_may_be(handle: str) -> None:
    assert person(handle).handle == handle


@pytest.mark.parametrize(
    "handle",
    ["", "Ada", "-a", "a-", ".a", "a b", "a@b", "é", "a\n", "a\0b", "a" * 33, "ada\u202e"],
)
def test_a_handle_may_not_be(handle: str) -> None:
    with pytest.raises(Invalid) as refused:
        person(handle)
    assert list(refused.value.details) == ["handle"]
    assert not User.objects.exists()


@pytest.mark.parametrize("handle", ["here", "everyone", "robots", "system"])
def test_reserved_words_are_nobodys_handle(handle: str) -> None:
    for make in (person, lambda handle: User.objects.create_robot(handle, "R")):
        with pytest.raises(Invalid):
            make(handle)


def test_people_and_robots_share_one_namespace(parrot: User) -> None:
    with pytest.raises(Invalid) as refused:
        person("parrot")
    assert refused.value.details == {"handle": ["This handle is taken."]}


@pytest.mark.parametrize("name", ["", "x" * 81, "a\0b"])
def test_a_name_has_1_to_80_characters(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        person("ada", name)
    assert list(refused.value.details) == ["name"]


def test_an_address_is_one_persons_whatever_its_case() -> None:
    person("ada", email="Ada@Example.org")
    assert User.objects.get().email == "ada@example.org"
    with pytest.raises(Invalid) as refused:
        person("ben", email="ADA@example.org")
    assert list(refused.value.details) == ["email"]


def test_any_number_may_have_no_address() -> None:
    person("ada")
    person("ben", email="")
    assert list(User.objects.values_list("email", flat=True)) == [None, None]


def test_guests_and_customers_get_handles_of_their_own() -> None:
    made = [User.objects.create_guest("Gus") for _ in range(20)]
    made += [User.objects.create_customer("Cora", email="c@example.org")]
    assert len({user.handle for user in made}) == 21
    assert {user.site_role for user in made} == {None}
    assert not any(user.has_usable_password() for user in made)


def test_the_system_is_one() -> None:
    assert User.objects.system() == User.objects.system()
    assert User.objects.get(handle="system").kind == "system"


def test_what_everybody_may_know_of_somebody(ada: User) -> None:
    assert ada.public() == {
        "id": ada.pk,
        "handle": "ada",
        "name": "Ada Lovelace",
        "kind": "person",
        "avatar": None,
    }


def test_a_superuser_is_made_by_django_s_command() -> None:
    call_command("createsuperuser", handle="boss", name="Boss", interactive=False, verbosity=0)
    boss = get_user_model().objects.get()
    assert (boss.site_role, boss.is_staff) == (SiteRole.ADMIN, True)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_a_handle_at_once_one_is_told() -> None:
    outcomes = race(*[lambda: person("ada")] * 4)
    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds == {User: 1, Invalid: 3}, outcomes
