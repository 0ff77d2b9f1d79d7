"""Token pairs: got, used, renewed, given back."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts import tokens
from accounts.errors import TokenInvalid
from accounts.models import Login, User
from tests.accounts.conftest import PASSWORD
from tests.race import race

pytestmark = pytest.mark.django_db
SignIn = Callable[..., dict[str, str]]


def refresh(token: str) -> tuple[int, dict]:
    body = json.dumps({"refresh": token})  # in ASCII, so that it carries half a surrogate pair too
    path = "/api/v1/auth/token/refresh/"
    response = APIClient().post(path, body, content_type="application/json")
    return response.status_code, response.json()


def me(access: str) -> tuple[int, dict]:
    response = APIClient().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {access}")
    return response.status_code, response.json()


def code(answer: tuple[int, dict]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]


def test_a_password_gives_a_pair_that_names_its_login(sign_in: SignIn, ada: User) -> None:
    pair = sign_in(ada)
    assert set(pair) == {"access", "refresh"}
    login = Login.objects.get()
    assert (login.user, login.kind) == (ada, "token")
    assert AccessToken(pair["access"])["login"] == login.pk
    assert RefreshToken(pair["refresh"])["login"] == login.pk
    assert me(pair["access"])[1]["handle"] == "ada"


def test_a_clock_that_is_set_back_makes_no_pair_void(sign_in: SignIn, ada: User) -> None:
    """Nor one that is a little behind on another host."""
    pair = sign_in(ada)
    with time_machine.travel(timezone.now() - timedelta(minutes=10)):
        assert me(pair["access"])[0] == 200
        assert refresh(pair["refresh"])[0] == 200


def test_a_call_with_a_token_asks_for_login_and_user_in_one_query(
    sign_in: SignIn, ada: User, django_assert_num_queries: Callable
) -> None:
    pair = sign_in(ada)
    # The second is the site role that `me` shows.
    with django_assert_num_queries(2):
        me(pair["access"])


@pytest.mark.parametrize("password", ["no", "", " " + PASSWORD, PASSWORD.upper()])
def test_a_wrong_password_gives_nothing(api: APIClient, ada: User, password: str) -> None:
    response = api.post("/api/v1/auth/token/", {"username": "ada", "password": password})
    assert response.status_code in (400, 401)
    assert not Login.objects.exists()


def test_wrong_and_unknown_are_answered_alike(api: APIClient, ada: User) -> None:
    answers = [
        api.post("/api/v1/auth/token/", {"username": name, "password": "no"})
        for name in ("ada", "nobody")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["error"]["code"] == "not_authenticated"


def test_robots_guests_customers_and_the_system_get_no_tokens(
    api: APIClient, guest: User, customer: User, parrot: User
) -> None:
    for user in (guest, customer, parrot, User.objects.system()):
        body = {"username": user.handle, "password": "!"}
        assert api.post("/api/v1/auth/token/", body).status_code == 401


def test_a_refresh_is_used_up_and_its_successor_goes_on(sign_in: SignIn, ada: User) -> None:
    first = sign_in(ada)
    status, second = refresh(first["refresh"])
    assert status == 200
    assert me(second["access"])[0] == 200
    assert code(refresh(first["refresh"])) == (401, "token_invalid")
    assert refresh(second["refresh"])[0] == 200
    assert Login.objects.count() == 1


def test_a_refresh_lets_the_login_last(sign_in: SignIn, ada: User) -> None:
    pair = sign_in(ada)
    with time_machine.travel(timezone.now() + timedelta(days=20), tick=False):
        assert refresh(pair["refresh"])[0] == 200
        assert Login.objects.get().expires_at == timezone.now() + timedelta(days=30)


@pytest.mark.parametrize(
    ("which", "days"), [("access", 0.03), ("refresh", 31)], ids=["access", "refresh"]
)
def test_tokens_expire(sign_in: SignIn, ada: User, which: str, days: float) -> None:
    pair = sign_in(ada)
    with time_machine.travel(timezone.now() + timedelta(days=days)):
        answer = me(pair["access"]) if which == "access" else refresh(pair["refresh"])
    assert code(answer) == (401, "token_invalid")


def test_one_kind_of_token_is_not_taken_for_the_other(sign_in: SignIn, ada: User) -> None:
    pair = sign_in(ada)
    assert code(me(pair["refresh"])) == (401, "token_invalid")
    assert code(refresh(pair["access"])) == (401, "token_invalid")


@pytest.mark.parametrize("junk", ["x", "a.b.c", "é", "\ud800", "x" * 3000])
def test_junk_is_not_a_token(db: None, junk: str) -> None:
    assert refresh(junk)[0] in (400, 401)
    with pytest.raises(TokenInvalid):
        Login.objects.for_access_token(junk)


def test_a_token_for_another_user_than_its_logins_is_refused(
    sign_in: SignIn, ada: User, ben: User
) -> None:
    token = AccessToken(sign_in(ada)["access"])
    token["user_id"] = str(ben.pk)
    assert code(me(str(token))) == (401, "token_invalid")


@pytest.mark.parametrize("claim", ["login", "user_id"])
@pytest.mark.parametrize("value", [None, "x", [], {}])
def test_a_signed_token_with_odd_claims_is_refused(
    sign_in: SignIn, ada: User, claim: str, value: object
) -> None:
    token = AccessToken(sign_in(ada)["access"])
    token[claim] = value
    assert code(me(str(token))) == (401, "token_invalid")


def test_a_bad_authorization_header_is_401(db: None, api: APIClient) -> None:
    for header in ("Bearer", "Bearer a b", "Bearer x"):
        answer = api.get("/api/v1/me/", HTTP_AUTHORIZATION=header)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")


def test_nobody_is_not_authenticated(db: None, api: APIClient) -> None:
    answer = api.get("/api/v1/me/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")


def test_signing_out_ends_tokens_at_once(sign_in: SignIn, ada: User, ended: list) -> None:
    pair = sign_in(ada)
    answer = APIClient().post("/api/v1/auth/logout/", {"refresh": pair["refresh"]})
    assert answer.status_code == 204
    assert code(me(pair["access"])) == (401, "token_invalid")
    assert code(refresh(pair["refresh"])) == (401, "token_invalid")
    assert ended == [{"logins": [Login.objects.get().pk], "users": [ada.pk]}]


def test_signing_out_twice_is_refused(sign_in: SignIn, ada: User) -> None:
    pair = sign_in(ada)
    APIClient().post("/api/v1/auth/logout/", {"refresh": pair["refresh"]})
    answer = APIClient().post("/api/v1/auth/logout/", {"refresh": pair["refresh"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_invalid")


def test_a_dead_login_refuses_its_tokens(sign_in: SignIn, ada: User) -> None:
    pair = sign_in(ada)
    Login.objects.all().end()
    assert code(me(pair["access"])) == (401, "token_invalid")
    assert code(refresh(pair["refresh"])) == (401, "token_invalid")


def test_no_refresh_token_that_still_works_is_stored(sign_in: SignIn, ada: User) -> None:
    pair = sign_in(ada)
    assert not OutstandingToken.objects.exists()
    refresh(pair["refresh"])
    stored = OutstandingToken.objects.get().token
    assert code(refresh(stored)) == (401, "token_invalid")


def test_the_token_endpoint_honours_the_lockout(
    api: APIClient, ada: User, settings: object
) -> None:
    settings.CHAT_THROTTLES = False
    for _ in range(10):
        api.post("/api/v1/auth/token/", {"username": "ada", "password": "no"})
    answer = api.post("/api/v1/auth/token/", {"username": "ada", "password": PASSWORD})
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limited")


@pytest.mark.django_db(transaction=True)
def test_of_two_racing_refreshes_one_wins(sign_in: SignIn, ada: User) -> None:
    raw = sign_in(ada)["refresh"]
    outcomes = race(*[lambda: tokens.renew(raw)] * 4)
    losers = [outcome for outcome in outcomes if isinstance(outcome, TokenInvalid)]
    assert len(losers) == 3, outcomes
    (winner,) = (outcome for outcome in outcomes if outcome not in losers)
    assert refresh(winner["refresh"])[0] == 200
