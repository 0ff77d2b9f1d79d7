"""Querysets whose SQL is built once bring what they would bring anew."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F, QuerySet, Value
from django.utils import timezone

from accounts.models import Login, User
from accounts.prepared import first, prepared, reread

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> list[User]:
    return [User.objects.create(handle=f"h{n}", name=f"Person {n}") for n in range(5)]


@prepared("user")
def _named(user: int, order: str) -> QuerySet[User]:
    return User.objects.filter(pk__gte=user, kind=User.Kind.PERSON).order_by(order)


def test_rows_are_those_of_the_question_as_it_is_asked_now(people: list[User]) -> None:
    for person in people:
        wanted = [one for one in people if one.pk >= person.pk]
        assert _named(user=person.pk, order="pk") == wanted
        assert _named(person.pk, "-pk") == wanted[::-1]
    people[1].delete()
    assert _named(people[0].pk, "pk") == [people[0], *people[2:]]


def test_a_row_is_whole_and_its_own(people: list[User]) -> None:
    one, again = (first(_named(people[3].pk, "pk")) for _ in range(2))
    assert one is not None
    assert again is not None
    assert vars(one).keys() == vars(User.objects.get(pk=people[3].pk)).keys()
    one.name = "Another"
    assert again.name == "Person 3"
    one.save()
    assert User.objects.get(pk=one.pk).name == "Another"


@prepared("users")
def _among(users: Collection[int]) -> QuerySet[User]:
    return User.objects.filter(pk__in=users).order_by("pk")


@pytest.mark.parametrize("many", [1, 2, 3, 4, 5])
def test_one_may_be_among_any_number(people: list[User], many: int) -> None:
    some = people[:many]
    assert _among([person.pk for person in some]) == some
    assert _among({person.pk for person in some}) == some


def test_what_no_row_can_be_is_asked_for_in_vain(people: list[User]) -> None:
    assert _among([]) == []
    assert _named(2**63, "pk") == []


def test_of_very_many_none_is_said_twice_and_no_sql_is_kept(people: list[User]) -> None:
    """SQLite takes 32,766 parameters: 16,385 would have become more."""
    built = []

    @prepared("users")
    def among(users: Collection[int]) -> QuerySet[User]:
        built.append(len(users))
        return User.objects.filter(pk__in=users).order_by("pk")

    last = people[-1].pk
    for _ in range(2):
        assert among(range(last - 16_384, last + 1)) == list(User.objects.order_by("pk"))
    assert built == [16_385, 16_385]


@prepared("users")
def _others(users: Collection[int]) -> QuerySet[User]:
    return User.objects.exclude(pk__in=users).filter(kind=User.Kind.PERSON).order_by("pk")


def test_all_are_others_than_none(people: list[User]) -> None:
    assert _others([]) == people
    assert _others([people[0].pk]) == people[1:]


@prepared("at")
def _begun(at: datetime) -> QuerySet[Login]:
    return Login.objects.filter(created_at__lt=at).select_related("user")


@prepared("handle")
def _called(handle: str) -> QuerySet[User]:
    return User.objects.filter(handle=handle)


def test_texts_are_compared_as_texts(people: list[User]) -> None:
    assert [_called(f"h{n}") for n in range(5)] == [[person] for person in people]
    assert _called("") == _called("%") == []


def test_a_row_is_read_again_with_what_is_beside_it(people: list[User]) -> None:
    one, now = people[0], timezone.now()
    login = Login.objects.create(user=one, kind="token", expires_at=now)
    login.user.name, one.name = "Forgotten", "Person 0, renamed"
    one.save()
    login.kind = "session"
    reread(login, _logins(login.pk))
    assert (login.kind, login.user.name) == ("token", "Person 0, renamed")
    Login.objects.all().delete()
    with pytest.raises(Login.DoesNotExist):
        reread(login, _logins(login.pk))


@prepared("pk")
def _logins(pk: int) -> QuerySet[Login]:
    return Login.objects.filter(pk=pk).select_related("user")


def test_moments_are_compared_as_moments(people: list[User]) -> None:
    now = timezone.now()
    for hours, person in enumerate(people):
        Login.objects.create(
            user=person, kind="token", expires_at=now, created_at=now - timedelta(hours=hours)
        )
    found = _begun(now - timedelta(hours=2, minutes=1))
    assert {login.user for login in found} == set(people[3:])
    elsewhere = (now - timedelta(hours=2, minutes=1)).astimezone(UTC)
    assert _begun(elsewhere) == found


@prepared("user")
def _handles(user: int) -> QuerySet[User, Any]:
    return User.objects.filter(pk=user).values_list("handle", flat=True)


@prepared("user")
def _pairs(user: int) -> QuerySet[User, Any]:
    return User.objects.filter(pk=user).annotate(next=F("pk") + 1).values_list("handle", "next")


@prepared("user")
def _dictionaries(user: int) -> QuerySet[User, Any]:
    return User.objects.filter(pk=user).values("handle")


def test_columns_come_as_they_are_asked_for(people: list[User]) -> None:
    user = people[2]
    assert _handles(user.pk) == ["h2"]
    assert _pairs(user.pk) == [("h2", user.pk + 1)]
    assert _dictionaries(user.pk) == [{"handle": "h2"}]
    assert _handles(0) == []


def test_what_differs_from_use_to_use_beside_the_slots_is_refused() -> None:
    def reckoned(user: int) -> QuerySet[User]:
        return User.objects.filter(pk=user + 1)

    def sliced(user: int) -> QuerySet[User]:
        return User.objects.all()[:user]

    def of_now(user: int) -> QuerySet[Login]:
        return Login.objects.filter(user=user, expires_at__gt=timezone.now())

    def of_two(user: int) -> QuerySet[User]:
        return User.objects.filter(pk=user).prefetch_related("logins")

    for ask in (reckoned, sliced, of_now, of_two):
        with pytest.raises(TypeError):
            prepared("user")(ask)(user=1)


def test_a_value_that_is_there_by_itself_stays(people: list[User]) -> None:
    @prepared("user")
    def marked(user: int) -> QuerySet[User, Any]:
        return User.objects.filter(pk=user).annotate(mark=Value(7)).values_list("mark", flat=True)

    assert marked(people[0].pk) == [7]
