"""JSON web tokens: what is written in them, and how a pair is renewed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TypedDict

from django.db import transaction
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token
from rest_framework_simplejwt.utils import datetime_from_epoch

from accounts.errors import TokenInvalid
from accounts.models import Login

LOGIN_CLAIM = "login"


class TokenPair(TypedDict):
    """What a client keeps."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What of a token we rely on."""

    login: int
    user: int
    expires_at: dt.datetime


def issue(login: Login) -> TokenPair:
    """A fresh pair that stands for `login`.

    Made by hand rather than by `for_user`, which would store the refresh token as it is.
    """
    refresh = RefreshToken()
    refresh[api_settings.USER_ID_CLAIM] = str(login.user_id)
    refresh[LOGIN_CLAIM] = login.pk
    access = refresh.access_token
    for token in (refresh, access):
        # Nothing asks when it was made; but where the clock is behind that, or was set back, a
        # token that says it is no token yet.
        del token.payload["iat"]
    return {"access": str(access), "refresh": str(refresh)}


def read_access(raw: str | bytes) -> Claims:
    """What an access token says. Raises TokenInvalid."""
    try:
        return _claims(AccessToken(raw))  # type: ignore[arg-type]
    except (TokenError, UnicodeError) as error:
        raise TokenInvalid from error


def renew(raw: str) -> TokenPair:
    """Trade a refresh token for a new pair. It is used up: of two racing trades one wins.

    Raises TokenInvalid, also where the login behind it is over.
    """
    with transaction.atomic():
        login = _use_up(raw)
        if not login.renew():
            raise TokenInvalid
        return issue(login)


def revoke(raw: str) -> None:
    """Sign out with a refresh token: it is used up and its login ends. Raises TokenInvalid."""
    with transaction.atomic():
        _use_up(raw).end()


def _use_up(raw: str) -> Login:
    try:
        token = RefreshToken(raw)  # type: ignore[arg-type]
        claims = _claims(token)
    except (TokenError, UnicodeError) as error:
        raise TokenInvalid from error
    login: Login | None = Login.objects.live().filter(pk=claims.login, user=claims.user).first()
    if login is None or not login.is_live():
        raise TokenInvalid
    fresh: bool = token.blacklist()[1]  # type: ignore[index]  # it is a get_or_create
    if not fresh:
        raise TokenInvalid
    return login


def _claims(token: Token) -> Claims:
    try:
        return Claims(
            login=int(token[LOGIN_CLAIM]),
            user=int(token[api_settings.USER_ID_CLAIM]),
            expires_at=datetime_from_epoch(token["exp"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TokenInvalid from error
