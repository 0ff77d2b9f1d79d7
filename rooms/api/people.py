"""The people of a room."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import PublicUser, StatusField, known_to
from accounts.api_calls import asked, caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.errors import NotFound
from accounts.models import User
from accounts.status import told_to
from live.cards import card_of
from live.models import Presence
from rooms.api.fields import ChoiceField, IdField
from rooms.api.pages import PAGING, Page, Paging, page
from rooms.api.rooms import (
    RoomSerializer,
    Somebody,
    findable,
    must_be_no_robots,
    people_known_to,
    shown,
)
from rooms.models import Participant, Room
from rooms.models.participant import ParticipantQuerySet
from rooms.modes import Role


class Person(PublicUser):
    """Somebody in a room."""

    role = serializers.ChoiceField(Role.choices)
    status = StatusField(allow_null=True, required=False, help_text="Told to people of the site.")


class CardSerializer(PublicUser):
    """What somebody's card says. Status, time zone and `seen_on` are for people of the site."""

    role = serializers.ChoiceField(Role.choices, allow_null=True)
    presence = serializers.ChoiceField(
        Presence.State.choices, allow_null=True, help_text="null in large rooms, and of robots."
    )
    seen_on = serializers.DateField(allow_null=True)
    status = StatusField(allow_null=True)
    time_zone = serializers.CharField(allow_null=True)


class PersonPage(Page):
    """Some people of a room."""

    results = Person(many=True)


class Finding(Paging):
    """Which of them one looks for."""

    q = TextField(max_length=100, required=False, allow_blank=True, default="")


class NewPerson(serializers.Serializer[Any]):
    """Somebody to be let in."""

    user = IdField()
    role = ChoiceField(
        Role.choices, required=False, help_text="Left out: what is usual for them here."
    )


class NewRole(serializers.Serializer[Any]):
    """What somebody shall be."""

    role = ChoiceField(Role.choices)


class ParticipantsView(APIView):
    """Who is in a room."""

    @extend_schema(
        operation_id="list_participants",
        parameters=[
            OpenApiParameter("q", OpenApiTypes.STR, description="Part of a name or handle."),
            *PAGING,
        ],
        responses={200: PersonPage, **errors(400, 401, 404)},
    )
    def get(self, request: Request, room: int) -> Response:
        """Its people as the caller may know them, in the order in which they came."""
        seats = people_of(findable(request, room), caller(request)).select_related("user")
        wanted = asked(Finding, request)
        if wanted["q"]:
            by_handle = Q(user__handle__icontains=wanted["q"])
            seats = seats.filter(by_handle | Q(user__name__icontains=wanted["q"]))
        found, following = page(seats, wanted)
        viewer = caller(request)
        people = [encoded(seat, viewer) for seat in found]
        return Response({"results": people, "next": following})

    @extend_schema(
        operation_id="invite_participant",
        request=NewPerson,
        responses={200: Person, 201: Person, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Let somebody in: 201, or 200 where they are in it already, which changes nothing."""
        found, user, given = (
            findable(request, room),
            caller(request),
            valid(NewPerson, request.data),
        )
        (newcomer,) = people_known_to(user, [given["user"]], field="user")
        must_be_no_robots([newcomer], field="user")
        there = found.participant(newcomer) is not None
        seat = found.invite(newcomer, by=user, role=given.get("role"))
        seat.user = newcomer
        return Response(encoded(seat, user), status=200 if there else 201)


class ParticipantView(APIView):
    """Somebody in a room."""

    @extend_schema(
        operation_id="read_participant", responses={200: CardSerializer, **errors(401, 404)}
    )
    def get(self, request: Request, room: int, user: int) -> Response:
        """Their card, as one who is in the room is shown it; `role` is null where they have left
        it and one knows of them still.
        """
        mine = Room.objects.seat_in(room, caller(request))
        mine.user = caller(request)
        return Response(card_of(mine, *met(mine, Q(pk=user))))

    @extend_schema(
        operation_id="change_participant",
        request=NewRole,
        responses={200: Person, **errors(400, 401, 403, 404, 409)},
    )
    def patch(self, request: Request, room: int, user: int) -> Response:
        """Give them another role."""
        found = findable(request, room)
        person = _person(found, user, by=caller(request))
        seat = found.change_role(person, valid(NewRole, request.data)["role"], by=caller(request))
        return Response(encoded(seat, caller(request)))

    @extend_schema(
        operation_id="remove_participant", responses={204: None, **errors(401, 403, 404, 409)}
    )
    def delete(self, request: Request, room: int, user: int) -> Response:
        """Take their seat away."""
        found = findable(request, room)
        found.remove(_person(found, user, by=caller(request)), by=caller(request))
        return Response(status=204)


class OwnerView(APIView):
    """Whose room it is."""

    @extend_schema(
        operation_id="transfer_room",
        request=Somebody,
        responses={200: RoomSerializer, **errors(400, 401, 403, 404)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Make a participant owner in one's own place, and be a member from then on."""
        found, user = findable(request, room), caller(request)
        heir = _person(found, valid(Somebody, request.data)["user"], by=user)
        found.transfer(heir, by=user)
        return Response(shown(user, found))


def encoded(seat: Participant, viewer: User) -> dict[str, Any]:
    """The user, what they are here, and, for people of the site, what they say of themselves."""
    status = seat.user.status if told_to(viewer) else None
    return {**seat.user.public(), "role": seat.role, "status": status}


def people_of(room: Room, reader: User) -> ParticipantQuerySet:
    """The seats a reader is shown: their room's, or a support room's that waits on their desk.

    Raises NotFound: a public room tells who is in it only to those who joined.
    """
    seat = room.participant(reader)
    if room.is_open_sidebar:
        seat = Room.objects.seat_in(room.pk, reader)
    if seat is not None:
        return Participant.objects.shown_to(seat)
    if Room.objects.desk_for(reader).filter(pk=room.pk).exists():
        return Participant.objects.filter(room=room)
    raise NotFound


def met(mine: Participant, which: Q) -> tuple[User, str | None]:
    """Somebody, and what they are in one's room: None where they are not in it. Raises NotFound
    also where they are, but one is not shown them.
    """
    user = User.objects.filter(which).exclude(kind=User.Kind.SYSTEM).first()
    if user is None:
        raise NotFound
    seat = Participant.objects.shown_to(mine).filter(user=user).first()
    if seat is not None:
        return user, seat.role
    is_hidden = Participant.objects.of(mine.room).filter(user=user).exists()
    if is_hidden or not known_to(mine.user).filter(pk=user.pk).exists():
        raise NotFound
    return user, None


def _person(room: Room, pk: int, *, by: User) -> User:
    seat = people_of(room, by).select_related("user").filter(user=pk).first()
    if seat is None:
        raise NotFound
    return seat.user
