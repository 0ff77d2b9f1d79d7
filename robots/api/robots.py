"""The robots there are: finding them, and setting them up."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import Avatar
from accounts.api_calls import asked, caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.errors import NotFound, TooLarge
from accounts.models import User
from accounts.roles import SiteRole
from robots.api.fields import FractionField, MoneyField
from robots.models import Robot
from robots.models.robot import FALLBACKS_MAX, PERSONA_MAX, Style
from rooms.api.fields import ChoiceField, NumberField, TruthField
from rooms.api.pages import PAGING, Page, Paging, page

LONGEST_MODEL = 200
LARGEST = 2**31 - 1
LARGEST_BUDGET = 2**63 - 1


class PublicRobotSerializer(serializers.Serializer[Robot]):
    """A robot, as every member of the site may know it."""

    id = serializers.IntegerField()
    user = serializers.IntegerField(source="user_id", help_text="Id of the user it speaks as.")
    handle = serializers.CharField(source="user.handle")
    name = serializers.CharField(source="user.name")
    avatar = serializers.CharField(source="user.avatar_url", allow_null=True, help_text="A path.")
    trigger = serializers.ChoiceField(Robot.Trigger.choices)
    enabled = serializers.BooleanField()


class RobotSerializer(PublicRobotSerializer):
    """A robot, with how it is set up where the caller is an agent or above. No key is ever told."""

    model = serializers.CharField(required=False)
    persona = serializers.CharField(required=False)
    style = serializers.ChoiceField(Style.choices, required=False)  # type: ignore[assignment]
    temperature = serializers.FloatField(required=False, allow_null=True)
    max_tokens = serializers.IntegerField(required=False)
    context_window = serializers.IntegerField(required=False)
    api_base = serializers.CharField(required=False)
    key_env = serializers.CharField(required=False, help_text="Name of an environment variable.")
    fallbacks = serializers.ListField(child=serializers.CharField(), required=False)
    daily_tokens = serializers.IntegerField(required=False, allow_null=True)
    daily_cost = serializers.FloatField(required=False, allow_null=True, help_text="US dollars.")


class RobotPage(Page):
    """Some robots."""

    results = RobotSerializer(many=True)


class RobotChanges(serializers.Serializer[Any]):
    """What of a robot may be changed; what is left out stays."""

    handle = TextField(max_length=32, required=False)
    name = TextField(max_length=80, required=False)
    model = TextField(
        max_length=LONGEST_MODEL,
        trim_whitespace=False,
        required=False,
        help_text="As litellm names it, or builtin/parrot, builtin/librarian.",
    )
    persona = TextField(max_length=PERSONA_MAX, required=False, allow_blank=True)
    style = ChoiceField(Style.choices, required=False)  # type: ignore[assignment]
    temperature = FractionField(min_value=0, max_value=2, required=False, allow_null=True)
    max_tokens = NumberField(min_value=1, max_value=LARGEST, required=False)
    context_window = NumberField(min_value=512, max_value=LARGEST, required=False)
    api_base = TextField(
        max_length=200,
        trim_whitespace=False,
        required=False,
        allow_blank=True,
        help_text="For site admins.",
    )
    key_env = TextField(
        max_length=100,
        trim_whitespace=False,
        required=False,
        allow_blank=True,
        help_text="Name of the environment variable that holds its key. For site admins.",
    )
    trigger = ChoiceField(Robot.Trigger.choices, required=False)
    fallbacks = serializers.ListField(
        child=TextField(max_length=LONGEST_MODEL, trim_whitespace=False),
        max_length=FALLBACKS_MAX,
        required=False,
    )
    daily_tokens = NumberField(
        min_value=0, max_value=LARGEST_BUDGET, required=False, allow_null=True
    )
    daily_cost = MoneyField(min_value=0, required=False, allow_null=True)
    enabled = TruthField(required=False)


class NewRobot(RobotChanges):
    """A robot to be made."""

    handle = TextField(max_length=32)
    name = TextField(max_length=80)
    model = TextField(
        max_length=LONGEST_MODEL,
        trim_whitespace=False,
        help_text="As litellm names it, or builtin/parrot, builtin/librarian.",
    )


class RobotsView(APIView):
    """The robots of the site."""

    @extend_schema(
        operation_id="list_robots",
        parameters=PAGING,
        responses={200: RobotPage, **errors(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """All of them, for members of the site; how they are set up, for agents and above."""
        user = caller(request)
        rows, following = page(Robot.objects.known_to(user), asked(Paging, request))
        return Response({"results": [shown(robot, user) for robot in rows], "next": following})

    @extend_schema(
        operation_id="add_robot",
        request=NewRobot,
        responses={201: RobotSerializer, **errors(400, 401, 403)},
    )
    def post(self, request: Request) -> Response:
        """Make one, and the user it speaks as."""
        user = caller(request)
        robot = Robot.objects.add(**valid(NewRobot, request.data), by=user)
        return Response(shown(robot, user), status=201)


class RobotView(APIView):
    """One robot."""

    @extend_schema(operation_id="read_robot", responses={200: RobotSerializer, **errors(401, 404)})
    def get(self, request: Request, robot: int) -> Response:
        """The robot."""
        user = caller(request)
        return Response(shown(known(user, robot), user))

    @extend_schema(
        operation_id="change_robot",
        request=RobotChanges,
        responses={200: RobotSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def patch(self, request: Request, robot: int) -> Response:
        """Set it up differently. Answers that are being written go on as they began."""
        user = caller(request)
        found = known(user, robot)
        found.update(**valid(RobotChanges, request.data), by=user)
        return Response(shown(found, user))

    @extend_schema(operation_id="retire_robot", responses={204: None, **errors(401, 403, 404)})
    def delete(self, request: Request, robot: int) -> Response:
        """Take it out of every room, for good. What it said stays."""
        user = caller(request)
        known(user, robot).retire(by=user)
        return Response(status=204)


class RobotAvatarView(APIView):
    """A robot's picture."""

    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="set_robot_avatar",
        request=Avatar,
        responses={200: RobotSerializer, **errors(400, 401, 403, 404, 413)},
    )
    def put(self, request: Request, robot: int) -> Response:
        """Show this one: PNG, JPEG, GIF or WebP."""
        user = caller(request)
        found = known(user, robot)
        try:
            found.set_avatar(valid(Avatar, request.data)["avatar"], by=user)
        except RequestDataTooBig as error:
            raise TooLarge from error
        return Response(shown(found, user))

    @extend_schema(
        operation_id="remove_robot_avatar", responses={204: None, **errors(401, 403, 404)}
    )
    def delete(self, request: Request, robot: int) -> Response:
        """Show none."""
        user = caller(request)
        known(user, robot).set_avatar(None, by=user)
        return Response(status=204)


def known(user: User, pk: int) -> Robot:
    """A robot that `user` may know of. Raises NotFound."""
    robot: Robot | None = Robot.objects.known_to(user).filter(pk=pk).first()
    if robot is None:
        raise NotFound
    return robot


def shown(robot: Robot, user: User) -> dict[str, Any]:
    """The robot of the contract, for this reader."""
    tells_all = user.is_at_least(SiteRole.AGENT)
    return dict((RobotSerializer if tells_all else PublicRobotSerializer)(robot).data)
