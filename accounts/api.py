"""The API of signing in, of oneself, and of finding people."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, update_session_auth_hash
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tokens
from accounts.api_calls import caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.authentication import current_login
from accounts.errors import Invalid, NotAuthenticated, TooLarge
from accounts.models import Login, Ticket, User
from accounts.models.user import NAME_MAX
from accounts.roles import SiteRole
from accounts.status import LONGEST
from accounts.throttles import CallThrottle, DoorThrottle, LoginThrottle
from rooms.models import Participant
from rooms.modes import Mode, Role, hidden_from

LONGEST_PASSWORD = 1000
LONGEST_TOKEN = 4000


# Signing in ----------------------------------------------------------------------------


class Credentials(serializers.Serializer[Any]):
    """A handle and its password."""

    username = TextField(max_length=150)
    password = TextField(max_length=LONGEST_PASSWORD, trim_whitespace=False)


class Refresh(serializers.Serializer[Any]):
    """A refresh token."""

    refresh = TextField(max_length=LONGEST_TOKEN)


class TokenPair(serializers.Serializer[Any]):
    """An access token for the Authorization header, and what renews it."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class SocketTicket(serializers.Serializer[Any]):
    """Good once, for `?ticket=` of the socket."""

    ticket = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")


class OpenView(APIView):
    """For those who are nobody yet."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class TokenView(OpenView):
    """Sign in with a password."""

    throttle_classes = (CallThrottle, DoorThrottle, LoginThrottle)

    @extend_schema(
        operation_id="sign_in", request=Credentials, responses={200: TokenPair, **errors(400, 401)}
    )
    def post(self, request: Request) -> Response:
        """Trade handle and password for a token pair."""
        credentials = valid(Credentials, request.data)
        user = authenticate(request._request, **credentials)
        if not isinstance(user, User):
            raise NotAuthenticated("User name and password do not go together.")
        login = Login.objects.start(user, kind=Login.Kind.TOKEN)
        return Response(tokens.issue(login))


class TokenRefreshView(OpenView):
    """Stay signed in."""

    @extend_schema(
        operation_id="renew_token", request=Refresh, responses={200: TokenPair, **errors(400, 401)}
    )
    def post(self, request: Request) -> Response:
        """Trade a refresh token, once, for a new pair."""
        return Response(tokens.renew(valid(Refresh, request.data)["refresh"]))


class LogoutView(OpenView):
    """Sign out."""

    @extend_schema(
        operation_id="sign_out", request=Refresh, responses={204: None, **errors(400, 401)}
    )
    def post(self, request: Request) -> Response:
        """End the login of a refresh token: its tokens and sockets go with it."""
        tokens.revoke(valid(Refresh, request.data)["refresh"])
        return Response(status=204)


class TicketView(APIView):
    """A way to the socket without a header."""

    @extend_schema(
        operation_id="issue_ticket", request=None, responses={200: SocketTicket, **errors(401)}
    )
    def post(self, request: Request) -> Response:
        """A ticket of this very login."""
        ticket = Ticket.objects.issue(current_login(request))
        lifetime = int(settings.CHAT_TICKET_LIFETIME.total_seconds())
        return Response({"ticket": ticket, "expires_in": lifetime})


# Oneself -------------------------------------------------------------------------------


class PublicUser(serializers.Serializer[User]):
    """What everybody who meets them may know of a user."""

    id = serializers.IntegerField()
    handle = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(User.Kind.choices)
    avatar = serializers.CharField(allow_null=True, source="avatar_url", help_text="A path.")


class StatusField(serializers.Serializer[Any]):
    """What somebody says of themselves."""

    emoji = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class Me(PublicUser):
    """What they may know of themselves."""

    email = serializers.EmailField(allow_null=True)
    status = StatusField(allow_null=True)
    time_zone = serializers.CharField(help_text="Its IANA name; empty for the site's.")
    site_role = serializers.ChoiceField(SiteRole.choices, allow_null=True)
    created_at = serializers.DateTimeField()


class NewStatus(serializers.Serializer[Any]):
    """What one says of oneself; either may be left out."""

    emoji = TextField(max_length=16, required=False, allow_blank=True, default="")
    text = TextField(max_length=LONGEST, required=False, allow_blank=True, default="")
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class Profile(serializers.Serializer[Any]):
    """What they may change; what is left out stays."""

    name = TextField(max_length=NAME_MAX, required=False)
    email = serializers.EmailField(max_length=254, required=False, allow_null=True)
    time_zone = TextField(max_length=64, required=False, allow_blank=True)
    status = NewStatus(required=False, allow_null=True, help_text="null: none any more.")


class NewPassword(serializers.Serializer[Any]):
    """The password as it is, and as it shall be."""

    current = TextField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    password = TextField(max_length=LONGEST_PASSWORD, trim_whitespace=False)


class Avatar(serializers.Serializer[Any]):
    """A picture."""

    avatar = serializers.FileField()


class MeView(APIView):
    """Oneself."""

    @extend_schema(operation_id="read_me", responses={200: Me, **errors(401)})
    def get(self, request: Request) -> Response:
        """Who I am."""
        return Response(Me(caller(request)).data)

    @extend_schema(
        operation_id="change_me", request=Profile, responses={200: Me, **errors(400, 401)}
    )
    def patch(self, request: Request) -> Response:
        """Change name, e-mail address, time zone or status: all that is named, or nothing."""
        user, given = caller(request), valid(Profile, request.data)
        with transaction.atomic():
            if "status" in given:
                _say(user, given.pop("status"))
            user.update_profile(by=user, **given)
        return Response(Me(user).data)


def _say(user: User, status: dict[str, Any] | None) -> None:
    if status is None:
        user.clear_status(by=user)
    else:
        until = status["expires_at"]
        user.set_status(status["emoji"], status["text"], until=until, by=user)


class PasswordView(APIView):
    """One's password."""

    throttle_classes = (CallThrottle, LoginThrottle)

    @extend_schema(
        operation_id="change_password",
        request=NewPassword,
        responses={204: None, **errors(400, 401, 403)},
    )
    def post(self, request: Request) -> Response:
        """Change it. Every other login ends; this one goes on."""
        user, given = caller(request), valid(NewPassword, request.data)
        user.change_own_password(given["current"], given["password"], keep=current_login(request))
        if request.auth is None:
            update_session_auth_hash(request._request, user)
        return Response(status=204)


class AvatarView(APIView):
    """One's picture."""

    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="set_avatar", request=Avatar, responses={200: Me, **errors(400, 401, 413)}
    )
    def put(self, request: Request) -> Response:
        """Show this one: PNG, JPEG, GIF or WebP."""
        try:
            upload = valid(Avatar, request.data)["avatar"]
        except RequestDataTooBig as error:
            raise TooLarge from error
        user = caller(request)
        user.set_avatar(upload, by=user)
        return Response(Me(user).data)

    @extend_schema(operation_id="remove_avatar", responses={204: None, **errors(401)})
    def delete(self, request: Request) -> Response:
        """Show none."""
        user = caller(request)
        user.set_avatar(None, by=user)
        return Response(status=204)


# Others --------------------------------------------------------------------------------


class Search(serializers.Serializer[Any]):
    """Whom one looks for."""

    q = TextField(max_length=100, required=False, allow_blank=True, default="")
    cursor = TextField(max_length=200, required=False, default="")


class PublicUserPage(serializers.Serializer[Any]):
    """Some users, and where the next ones begin."""

    results = PublicUser(many=True)
    next = serializers.CharField(allow_null=True, help_text="The `cursor` of the next page.")


class UsersView(APIView):
    """Finding people and robots."""

    @extend_schema(
        operation_id="find_users",
        parameters=[
            OpenApiParameter("q", OpenApiTypes.STR, description="Part of a name or handle."),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="`next` of the last page."),
        ],
        responses={200: PublicUserPage, **errors(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Those one may know, by handle. Guests and customers know whom they share a room with."""
        asked = valid(Search, {name: request.query_params[name] for name in request.query_params})
        found = known_to(caller(request)).filter(
            Q(handle__icontains=asked["q"]) | Q(name__icontains=asked["q"])
        )
        if asked["cursor"]:
            found = found.filter(handle__gt=_handle_of(asked["cursor"]))
        users = list(found.order_by("handle")[: settings.CHAT_PAGE_SIZE + 1])
        page, more = users[: settings.CHAT_PAGE_SIZE], users[settings.CHAT_PAGE_SIZE :]
        return Response(
            {
                "results": [user.public() for user in page],
                "next": _cursor_of(page[-1].handle) if more else None,
            }
        )


def known_to(user: User) -> QuerySet[User]:
    """The active users that `user` may know of."""
    known = Q(pk=user.pk) | Q(pk__in=_seats_seen_by(user).values("user"))
    if user.has_perm("accounts.list_users"):
        known |= Q(kind__in=[User.Kind.PERSON, User.Kind.ROBOT])
    return User.objects.filter(known, is_active=True)


def _seats_seen_by(user: User) -> QuerySet[Participant]:
    """Seats in the rooms they are in, less those that their role there is not shown."""
    mine = Participant.objects.filter(user=user)
    seen = Q(room__in=mine.values("room"))
    for mode in Mode:
        for role in Role:
            if hidden := hidden_from(mode, role):
                there = mine.filter(room__mode=mode, role=role).values("room")
                seen &= ~Q(room__in=there, role__in=hidden)
    return Participant.objects.filter(seen)


def _cursor_of(handle: str) -> str:
    return base64.urlsafe_b64encode(handle.encode()).decode().rstrip("=")


def _handle_of(cursor: str) -> str:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        handle = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Invalid(details={"cursor": ["This is not a cursor of this list."]}) from error
    if "\0" in handle:
        raise Invalid(details={"cursor": ["This is not a cursor of this list."]})
    return handle
