"""Robots that take turns in a room: start them, look at them, pause, resume and stop them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import PublicUser
from accounts.api_calls import caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.errors import Invalid, NotFound
from accounts.models import User
from accounts.throttles import CallThrottle, PostThrottle
from robots import autopilot_card
from robots.api.fields import MoneyField
from robots.ending import WHY, State
from robots.models import Autopilot, Robot
from robots.models.autopilot import GOAL_MAX, LASTS_AT_MOST, TOKENS_MAX
from robots.turns import ROBOTS_MAX, TURNS_MAX, Name
from rooms.api.fields import ChoiceField, IdField, NumberField
from rooms.api.rooms import seat_in
from rooms.models import Room

Verb = Callable[[Autopilot, User], None]


class RobotUser(serializers.Serializer[Any]):
    """A robot of a session, and the user it is."""

    id = serializers.IntegerField()
    user = PublicUser()


class Reason(serializers.Serializer[Any]):
    """Why a session is paused or over."""

    code = serializers.ChoiceField(list(WHY))
    message = serializers.CharField(help_text="For people.")


class Whole(serializers.Serializer[Any]):
    """How much of a limit is used up."""

    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)


class Money(serializers.Serializer[Any]):
    """The same, in US dollars."""

    used = serializers.FloatField(allow_null=True, help_text="Null where no price is known.")
    limit = serializers.FloatField(allow_null=True)


class AutopilotSerializer(serializers.Serializer[Any]):
    """A session of robots that take turns."""

    id = serializers.IntegerField()
    strategy = serializers.ChoiceField(Name.choices)
    robots = RobotUser(many=True, help_text="In their order.")
    goal = serializers.CharField()
    state = serializers.ChoiceField(State.choices)
    why = Reason(allow_null=True, help_text="Null while it runs.")
    turns = Whole()
    tokens = Whole()
    cost = Money()
    deadline = serializers.DateTimeField()
    started_by = PublicUser(allow_null=True)

    def to_representation(self, instance: Autopilot) -> dict[str, Any]:
        """As its card shows it, to whom may see that."""
        return autopilot_card.shown_to(self.context["reader"], instance)


class NewAutopilot(serializers.Serializer[Any]):
    """A session to be started."""

    strategy = ChoiceField(Name.choices)
    robots = serializers.ListField(
        child=IdField(), max_length=ROBOTS_MAX, help_text="Ids of robots of the room, in order."
    )
    goal = TextField(max_length=GOAL_MAX, required=False, allow_blank=True, default="")
    turns = NumberField(
        min_value=1,
        max_value=TURNS_MAX,
        required=False,
        allow_null=True,
        help_text="Left out: what the strategy usually takes.",
    )
    tokens = NumberField(min_value=1, max_value=TOKENS_MAX, required=False, allow_null=True)
    cost = MoneyField(min_value=0, required=False, allow_null=True, help_text="US dollars.")
    seconds = NumberField(
        min_value=1,
        max_value=int(LASTS_AT_MOST.total_seconds()),
        required=False,
        allow_null=True,
        help_text="Until its deadline.",
    )


class AutopilotView(APIView):
    """The session of a room."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="read_autopilot",
        responses={200: AutopilotSerializer, **errors(401, 404)},
    )
    def get(self, request: Request, room: int) -> Response:
        """The newest; 404 where there never was one."""
        user = caller(request)
        return _shown(_newest(user, room), user)

    @extend_schema(
        operation_id="start_autopilot",
        request=NewAutopilot,
        responses={201: AutopilotSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Have robots of the room take turns."""
        user = caller(request)
        found = seat_in(request, room).room
        given = valid(NewAutopilot, request.data)
        given["robots"] = _robots(found, given["robots"])
        seconds = given.pop("seconds", None)
        lasting = None if seconds is None else timedelta(seconds=seconds)
        session = Autopilot.objects.start(found, by=user, lasting=lasting, **given)
        return _shown(session, user, status=201)

    @extend_schema(
        operation_id="stop_autopilot",
        responses={200: AutopilotSerializer, **errors(401, 403, 404, 409)},
    )
    def delete(self, request: Request, room: int) -> Response:
        """End it at once, and the turn that is being taken."""
        return _done(request, room, lambda session, user: session.stop(by=user))


class PauseView(APIView):
    """A rest."""

    @extend_schema(
        operation_id="pause_autopilot",
        request=None,
        responses={200: AutopilotSerializer, **errors(401, 403, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Begin no further turn; the one that is being taken goes on to its end."""
        return _done(request, room, lambda session, user: session.pause(by=user))


class ResumeView(APIView):
    """The end of a rest."""

    @extend_schema(
        operation_id="resume_autopilot",
        request=None,
        responses={200: AutopilotSerializer, **errors(401, 403, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Go on. The time it was paused is given back to it."""
        return _done(request, room, lambda session, user: session.resume(by=user))


def _robots(room: Room, ids: list[int]) -> list[Robot]:
    """In the order named. Raises Invalid."""
    here = Robot.objects.in_room(room).in_bulk(ids)
    if not here.keys() >= set(ids):
        raise Invalid(details={"robots": ["Name robots that sit in this room."]})
    return [here[pk] for pk in ids]


def _newest(user: User, room: int) -> Autopilot:
    """That the caller may see. Raises NotFound."""
    found = Autopilot.objects.visible_to(user).filter(room=room).select_related("room")
    newest: Autopilot | None = found.order_by("-pk").first()
    if newest is None:
        raise NotFound
    return newest


def _done(request: Request, room: int, verb: Verb) -> Response:
    """What the verb makes of the newest. Raises NotFound."""
    user = caller(request)
    session = _newest(user, room)
    verb(session, user)
    return _shown(session, user)


def _shown(session: Autopilot, user: User, *, status: int = 200) -> Response:
    return Response(AutopilotSerializer(session, context={"reader": user}).data, status=status)
