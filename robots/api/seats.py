"""The robots of a room: who sits in it, as what, and what becomes of questions to a busy one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_calls import asked, caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.errors import NotFound
from accounts.models import User
from robots.api.robots import known
from robots.models import Robot, RobotPolicy, RobotSeat
from robots.models.robot import PERSONA_MAX
from robots.models.seat import STYLES_HERE, TITLE_MAX
from rooms.api.fields import ChoiceField, IdField
from rooms.api.pages import PAGING, Page, Paging, page
from rooms.api.people import people_of
from rooms.api.rooms import findable
from rooms.models import Participant, Room
from rooms.models.participant import ParticipantQuerySet
from rooms.modes import Role, hidden_from


class PublicSeatSerializer(serializers.Serializer[RobotSeat]):
    """A robot in a room, as the people in it are shown it."""

    robot = serializers.IntegerField(source="robot_id")
    user = serializers.IntegerField(source="robot.user_id", help_text="Id of the user it is.")
    handle = serializers.CharField(source="robot.user.handle")
    name = serializers.CharField(source="robot.user.name")
    avatar = serializers.CharField(
        source="robot.user.avatar_url", allow_null=True, help_text="A path."
    )
    title = serializers.CharField(
        source="title_here",
        help_text="What it is here; in a side-bar, where nothing was set, what it is around it.",
    )
    trigger = serializers.ChoiceField(Robot.Trigger.choices, source="robot.trigger")
    enabled = serializers.BooleanField(source="robot.enabled")


class SeatSerializer(PublicSeatSerializer):
    """The same, with how it differs here where the caller manages the room."""

    title = serializers.CharField(
        help_text="What it is here. Told to who manages the room as it is set: empty, as around it."
    )
    persona = serializers.CharField(required=False, help_text="Empty: as elsewhere.")
    style = serializers.ChoiceField(  # type: ignore[assignment]
        STYLES_HERE, required=False, help_text="Empty: as elsewhere."
    )


class SeatPage(Page):
    """Some robots of a room."""

    results = SeatSerializer(many=True)


class SeatChanges(serializers.Serializer[Any]):
    """How a robot differs in a room; what is left out stays, what is empty is as elsewhere."""

    persona = TextField(max_length=PERSONA_MAX, required=False, allow_blank=True)
    title = TextField(max_length=TITLE_MAX, required=False, allow_blank=True)
    style = ChoiceField(  # type: ignore[assignment]
        STYLES_HERE, required=False
    )


class NewSeat(SeatChanges):
    """A robot to be brought in."""

    robot = IdField()


class PolicySerializer(serializers.Serializer[Any]):
    """What a room has chosen for the robots in it."""

    when_busy = ChoiceField(
        RobotPolicy.WhenBusy.choices,
        help_text="What becomes of a question to a robot that is answering another.",
    )


class SeatsView(APIView):
    """The robots of a room."""

    @extend_schema(
        operation_id="list_room_robots",
        parameters=PAGING,
        responses={200: SeatPage, **errors(400, 401, 404)},
    )
    def get(self, request: Request, room: int) -> Response:
        """Those the caller is shown, in the order in which they came."""
        found, user = findable(request, room), caller(request)
        rows, following = page(_seats(found, user), asked(Paging, request))
        tells_all = found.managed_by(user)
        results = [_shown(RobotSeat.objects.at(row), tells_all=tells_all) for row in rows]
        return Response({"results": results, "next": following})

    @extend_schema(
        operation_id="seat_robot",
        request=NewSeat,
        responses={200: SeatSerializer, 201: SeatSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Bring one in: 201, or 200 where it is there already, which changes nothing."""
        found, user = findable(request, room), caller(request)
        given = valid(NewSeat, request.data)
        robot = known(user, given.pop("robot"))
        there = found.participant(robot.user) is not None
        seat = RobotSeat.objects.seat(robot, found, by=user, **given)
        return Response(_shown(seat, tells_all=True), status=200 if there else 201)


class SeatView(APIView):
    """One robot of a room."""

    @extend_schema(
        operation_id="change_room_robot",
        request=SeatChanges,
        responses={200: SeatSerializer, **errors(400, 401, 403, 404)},
    )
    def patch(self, request: Request, room: int, robot: int) -> Response:
        """Have it be somebody else here."""
        user = caller(request)
        seat = _seat(findable(request, room), robot, by=user)
        seat.update(**valid(SeatChanges, request.data), by=user)
        return Response(_shown(seat, tells_all=True))

    @extend_schema(operation_id="remove_robot", responses={204: None, **errors(401, 403, 404)})
    def delete(self, request: Request, room: int, robot: int) -> Response:
        """Take it out of the room. What it is writing there ends."""
        user = caller(request)
        _seat(findable(request, room), robot, by=user).remove(by=user)
        return Response(status=204)


class PolicyView(APIView):
    """What holds for the robots of a room."""

    @extend_schema(
        operation_id="read_robot_policy", responses={200: PolicySerializer, **errors(401, 404)}
    )
    def get(self, request: Request, room: int) -> Response:
        """What was chosen, or what holds where nobody chose."""
        policy = RobotPolicy.objects.of(_room_with_robots(request, room))
        return Response(PolicySerializer(policy).data)

    @extend_schema(
        operation_id="change_robot_policy",
        request=PolicySerializer,
        responses={200: PolicySerializer, **errors(400, 401, 403, 404)},
    )
    def patch(self, request: Request, room: int) -> Response:
        """Choose, as who manages the room."""
        policy = RobotPolicy.objects.of(_room_with_robots(request, room))
        policy.update(**valid(PolicySerializer, request.data), by=caller(request))
        return Response(PolicySerializer(policy).data)


def _room_with_robots(request: Request, pk: int) -> Room:
    """A room whose robots the caller is shown. Raises NotFound."""
    room, user = findable(request, pk), caller(request)
    people_of(room, user)
    seat = room.participant(user)
    if seat is not None and Role.ROBOT in hidden_from(room.mode, seat.role):
        raise NotFound
    return room


def _seats(room: Room, reader: User) -> ParticipantQuerySet:
    """Raises NotFound, as `people_of` does."""
    people = people_of(room, reader)
    if room.is_sidebar:  # a robot around it is seated there, and another one's to set
        people = Participant.objects.filter(room=room)
    return people.filter(role=Role.ROBOT, user__robot__isnull=False).select_related(
        "user__robot", "robot_seat", "outer__robot_seat"
    )


def _seat(room: Room, robot: int, *, by: User) -> RobotSeat:
    """Where a robot sits, if the caller is shown it there. Raises NotFound."""
    found = _seats(room, by).filter(user__robot=robot).first()
    if found is None:
        raise NotFound
    found.room = room
    return RobotSeat.objects.at(found)


def _shown(seat: RobotSeat, *, tells_all: bool) -> dict[str, Any]:
    return dict((SeatSerializer if tells_all else PublicSeatSerializer)(seat).data)
