"""The people of a room."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import PublicUser
from accounts.api_calls import asked, caller, valid
from accounts.api_schema import errors
from accounts.errors import NotFound
from accounts.models import User
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


class PersonPage(Page):
    """Some people of a room."""

    results = Person(many=True)


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
        parameters=PAGING,
        responses={200: PersonPage, **errors(400, 401, 404)},
    )
    def get(self, request: Request, room: int) -> Response:
        """Its people as the caller may know them, in the order in which they came."""
        seats = people_of(findable(request, room), caller(request)).select_related("user")
        found, following = page(seats, asked(Paging, request))
        return Response({"results": [encoded(seat) for seat in found], "next": following})

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
        return Response(encoded(seat), status=200 if there else 201)


class ParticipantView(APIView):
    """Somebody in a room."""

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
        return Response(encoded(seat))

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


def encoded(seat: Participant) -> dict[str, Any]:
    """The user, and what they are here."""
    return {**seat.user.public(), "role": seat.role}


def people_of(room: Room, reader: User) -> ParticipantQuerySet:
    """The seats a reader is shown: their room's, or a support room's that waits on their desk.

    Raises NotFound: a public room tells who is in it only to those who joined.
    """
    seat = room.participant(reader)
    if seat is not None:
        return Participant.objects.shown_to(seat)
    if Room.objects.desk_for(reader).filter(pk=room.pk).exists():
        return Participant.objects.filter(room=room)
    raise NotFound


def _person(room: Room, pk: int, *, by: User) -> User:
    seat = people_of(room, by).select_related("user").filter(user=pk).first()
    if seat is None:
        raise NotFound
    return seat.user
