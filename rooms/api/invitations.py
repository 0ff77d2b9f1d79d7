"""Links that let people into a room: made, listed, revoked, taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tokens
from accounts.api import OpenView, PublicUser, TokenPair
from accounts.api_calls import asked, caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.errors import NotFound
from accounts.models import Login
from accounts.models.user import NAME_MAX
from accounts.throttles import CallThrottle, DoorThrottle
from rooms.api.fields import ChoiceField, NumberField
from rooms.api.pages import PAGING, Page, Paging, page
from rooms.api.rooms import RoomSerializer, findable, shown
from rooms.models import Invitation, Room
from rooms.models.invitation import LONGEST_LIFETIME, MOST_USES
from rooms.modes import Role

LONGEST_TOKEN = 200


class InvitationSerializer(serializers.Serializer[Any]):
    """A link as its managers see it afterwards: without what makes it work."""

    id = serializers.IntegerField()
    role = serializers.ChoiceField(Role.choices)
    uses_left = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    created_by = PublicUser()


class NewInvitationSerializer(InvitationSerializer):
    """A link as it is shown once."""

    token = serializers.CharField()
    url = serializers.URLField()


class InvitationPage(Page):
    """Some links."""

    results = InvitationSerializer(many=True)


class InvitationRequest(serializers.Serializer[Any]):
    """A link to be made."""

    role = ChoiceField(Role.choices, required=False, help_text="Left out: member, or customer.")
    expires_in = NumberField(
        min_value=1, max_value=LONGEST_LIFETIME, required=False, help_text="Seconds."
    )
    uses = NumberField(
        min_value=1, max_value=MOST_USES, required=False, help_text="Left out: no limit."
    )


class Acceptance(serializers.Serializer[Any]):
    """The token of a link."""

    invite = TextField(max_length=LONGEST_TOKEN)


class GuestRequest(Acceptance):
    """A guest at the door."""

    name = TextField(max_length=NAME_MAX)


class GuestLogin(TokenPair):
    """A guest who is in."""

    user = PublicUser()


class InvitationsView(APIView):
    """The links into a room, for those who manage it."""

    @extend_schema(
        operation_id="list_invitations",
        parameters=PAGING,
        responses={200: InvitationPage, **errors(400, 401, 403, 404)},
    )
    def get(self, request: Request, room: int) -> Response:
        """Those that still work."""
        found = findable(request, room)
        found.must_be_managed_by(caller(request))
        usable = Invitation.objects.usable().filter(room=found).select_related("created_by")
        rows, following = page(usable, asked(Paging, request))
        return Response({"results": InvitationSerializer(rows, many=True).data, "next": following})

    @extend_schema(
        operation_id="create_invitation",
        request=InvitationRequest,
        responses={201: NewInvitationSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Make one. Its token and address are in this answer and nowhere else."""
        found, given = findable(request, room), valid(InvitationRequest, request.data)
        lifetime = timedelta(seconds=given["expires_in"]) if "expires_in" in given else None
        invitation, token = found.create_invitation(
            by=caller(request), role=given.get("role"), expires_in=lifetime, uses=given.get("uses")
        )
        url = request.build_absolute_uri(reverse("join", args=[token]))
        made = {**InvitationSerializer(invitation).data, "token": token, "url": url}
        return Response(made, status=201)


class InvitationView(APIView):
    """One link."""

    @extend_schema(operation_id="revoke_invitation", responses={204: None, **errors(401, 403, 404)})
    def delete(self, request: Request, invitation: int) -> Response:
        """Let it lead nowhere from now on. Revoking twice changes nothing."""
        user = caller(request)
        rooms = Room.objects.findable_by(user)
        found = (
            Invitation.objects.select_related("room").filter(pk=invitation, room__in=rooms).first()
        )
        if found is None or not (found.room.participant(user) or found.room.managed_by(user)):
            raise NotFound
        found.revoke(by=user)
        return Response(status=204)


class AcceptView(APIView):
    """The door, for those who are signed in."""

    @extend_schema(
        operation_id="accept_invitation",
        request=Acceptance,
        responses={200: RoomSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request) -> Response:
        """Enter the room the link leads to. Who is in it already uses nothing up."""
        user = caller(request)
        seat = Invitation.objects.accept(valid(Acceptance, request.data)["invite"], user=user)
        return Response(shown(user, seat.room))


class GuestView(OpenView):
    """The door, for those who are nobody yet."""

    throttle_classes = (CallThrottle, DoorThrottle)

    @extend_schema(
        operation_id="enter_as_guest",
        request=GuestRequest,
        responses={200: GuestLogin, **errors(400, 404, 409)},
    )
    def post(self, request: Request) -> Response:
        """Become a guest of the room the link leads to."""
        given = valid(GuestRequest, request.data)
        guest = Invitation.objects.accept_as_guest(given["invite"], name=given["name"]).user
        login = Login.objects.start(guest, kind=Login.Kind.GUEST)
        return Response({**tokens.issue(login), "user": guest.public()})
