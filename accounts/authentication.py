"""Who is calling: the page's session, or the API's access token. Both lead to a live login."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken

from accounts.errors import NotAuthenticated, TokenInvalid
from accounts.models import Login, User
from accounts.models.login import SESSION_LOGIN_KEY

AXES_NAME_LENGTH = 255  # of its column


class TokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access>`. `request.auth` is the login. One query."""

    def authenticate(  # type: ignore[override]  # `request.auth` is the login, not the token
        self, request: Request
    ) -> tuple[User, Login] | None:
        """The user and login of the token, None without one. Raises InvalidToken (401)."""
        header = self.get_header(request)
        raw = self.get_raw_token(header) if header else None
        if raw is None:
            return None
        try:
            login = Login.objects.for_access_token(raw)
        except TokenInvalid as error:
            raise InvalidToken(error.message) from error
        return login.user, login


def login_of(request: HttpRequest) -> Login | None:
    """The live login of a page's session, asked of the database once a request.

    A session whose login is over is emptied: it stands for nobody any more.
    """
    login_id = request.session.get(SESSION_LOGIN_KEY)
    asked: tuple[Any, Login | None] = request.__dict__.get("_login", (None, None))
    if asked[0] != login_id:
        asked = (login_id, Login.objects.for_session(request.session))
        request.__dict__["_login"] = asked
    if asked[1] is None and SESSION_KEY in request.session:
        request.session.flush()
    return asked[1]


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Whose login it is. A login past half its time is given its whole time again."""
    login = login_of(request)
    if login is None:
        return AnonymousUser()
    if login.is_half_over() and login.renew():
        request.session.modified = True
    return login.user


def current_login(request: Request) -> Login:
    """The login behind a call of the API, by whichever way in. Raises NotAuthenticated."""
    login = request.auth if isinstance(request.auth, Login) else login_of(request._request)
    if login is None:
        raise NotAuthenticated
    return login


def username_tried(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """For django-axes: `Ada` and `ada` are one name, so their failures are counted together."""
    tried = (credentials or {}).get("username") or request.POST.get("username") or ""
    return str(tried).lower()[:AXES_NAME_LENGTH]
