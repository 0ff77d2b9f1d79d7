"""Tickets: a way to the socket, once, for half a minute."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.errors import NotAuthenticated
from accounts.models import Login, Ticket, User
from accounts.tasks import sweep_expired
from tests.race import race

pytestmark = pytest.mark.django_db
As = Callable[[User], APIClient]


def test_a_ticket_leads_back_to_the_login_that_asked(api_as: As, ada: User) -> None:
    answer = api_as(ada).post("/api/v1/auth/ticket/")
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 30
    login = Ticket.objects.take(answer.json()["ticket"])
    assert login == Login.objects.get()
    assert login.user == ada


def test_a_session_gets_a_ticket_of_its_own_login(client: Client, ada: User) -> None:
    client.force_login(ada)
    answer = client.post("/api/v1/auth/ticket/")
    assert Ticket.objects.take(answer.json()["ticket"]).pk == client.session["login"]


def test_a_session_needs_its_csrf_token(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    answer = client.post("/api/v1/auth/ticket/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_nobody_gets_no_ticket(db: None, api: APIClient) -> None:
    assert api.post("/api/v1/auth/ticket/").status_code == 401


def test_a_ticket_is_stored_hashed(api_as: As, ada: User) -> None:
    token = api_as(ada).post("/api/v1/auth/ticket/").json()["ticket"]
    assert token not in str(Ticket.objects.values_list().get())


def test_a_ticket_works_once(ada: User) -> None:
    token = Ticket.objects.issue(Login.objects.start(ada, kind=Login.Kind.TOKEN))
    Ticket.objects.take(token)
    with pytest.raises(NotAuthenticated):
        Ticket.objects.take(token)


def test_a_ticket_works_for_half_a_minute(ada: User) -> None:
    token = Ticket.objects.issue(Login.objects.start(ada, kind=Login.Kind.TOKEN))
    with (
        time_machine.travel(timezone.now() + timedelta(seconds=31)),
        pytest.raises(NotAuthenticated),
    ):
        Ticket.objects.take(token)


@pytest.mark.parametrize("token", ["", "x", "é", "\0", "\ud800", "x" * 100_000])
def test_what_was_never_issued_opens_nothing(token: str) -> None:
    with pytest.raises(NotAuthenticated):
        Ticket.objects.take(token)


def test_a_ticket_dies_with_its_login(ada: User) -> None:
    login = Login.objects.start(ada, kind=Login.Kind.TOKEN)
    token = Ticket.objects.issue(login)
    login.end()
    with pytest.raises(NotAuthenticated):
        Ticket.objects.take(token)


@pytest.mark.django_db(transaction=True)
def test_of_racing_takers_one_wins(ada: User) -> None:
    token = Ticket.objects.issue(Login.objects.start(ada, kind=Login.Kind.TOKEN))
    outcomes = race(*[lambda: Ticket.objects.take(token)] * 4)
    assert sum(isinstance(outcome, Login) for outcome in outcomes) == 1, outcomes
    assert sum(isinstance(outcome, NotAuthenticated) for outcome in outcomes) == 3, outcomes


def test_expired_tickets_and_logins_long_over_are_swept(ada: User) -> None:
    old = Login.objects.start(ada, kind=Login.Kind.TOKEN)
    Ticket.objects.issue(old)
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        fresh = Ticket.objects.issue(old)
        sweep_expired()
        assert Ticket.objects.count() == 1
        Ticket.objects.take(fresh)
    with time_machine.travel(timezone.now() + timedelta(days=61)):
        new = Login.objects.start(ada, kind=Login.Kind.TOKEN)
        sweep_expired()
        assert list(Login.objects.all()) == [new]
