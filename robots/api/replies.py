"""What people do about an answer: stop it, have it written anew or further, ask for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_calls import caller, valid
from accounts.api_schema import errors
from accounts.errors import NotFound
from accounts.models import User
from accounts.throttles import CallThrottle, PostThrottle
from messages.api.messages import RENDER, visible
from messages.api.shapes import MessageSerializer, encoded
from messages.models import Message
from robots import actions, charge
from robots.models import Reply, Robot
from rooms.api.fields import IdListField
from rooms.models import Room

Verb = Callable[[Reply, User], None]


class Chosen(serializers.Serializer[Any]):
    """Who is to answer."""

    robots = IdListField(allow_empty=False, help_text="Ids of robots of the room.")


class Answers(serializers.Serializer[Any]):
    """Answers that have begun."""

    messages = MessageSerializer(many=True)


class StopView(APIView):
    """The end of an answer that is being written."""

    @extend_schema(
        operation_id="stop_reply",
        request=None,
        parameters=[RENDER],
        responses={200: MessageSerializer, **errors(401, 403, 404, 409)},
    )
    def post(self, request: Request, message: int) -> Response:
        """Have the robot stop; what it wrote stays. Its message ends within a moment."""
        return _done(request, message, lambda reply, user: reply.stop(by=user))


class RetryView(APIView):
    """An answer, once more."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="retry_reply",
        request=None,
        parameters=[RENDER],
        responses={200: MessageSerializer, **errors(401, 403, 404, 409)},
    )
    def post(self, request: Request, message: int) -> Response:
        """Have it written anew, in the same message."""
        return _done(request, message, lambda reply, user: reply.retry(by=user))


class ContinueView(APIView):
    """An answer, further."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="continue_reply",
        request=None,
        parameters=[RENDER],
        responses={200: MessageSerializer, **errors(401, 403, 404, 409)},
    )
    def post(self, request: Request, message: int) -> Response:
        """Have it written on from where it ended."""
        return _done(request, message, lambda reply, user: reply.go_on(by=user))


class AskView(APIView):
    """Answers that somebody chose to have."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="ask_robots",
        request=Chosen,
        parameters=[RENDER],
        responses={201: Answers, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, message: int) -> Response:
        """Have robots answer it, named in it or not. Nobody is asked the same twice."""
        user, question = caller(request), visible(request, message)
        given = valid(Chosen, request.data)
        charge.must_be_in_charge(question.room, user)
        robots = _robots_of(question.room, given["robots"])
        replies = Reply.objects.ask(question, robots, by=user)
        begun = Message.objects.visible_to(user).with_people().filter(answer_of__in=replies)
        shapes = encoded(request, user, *begun.order_by("pk"))
        return Response({"messages": shapes}, status=201)


def _robots_of(room: Room, ids: list[int]) -> list[Robot]:
    """Raises NotFound."""
    found = list(Robot.objects.in_room(room).filter(pk__in=ids))
    if len(found) < len(set(ids)):
        raise NotFound(details={"robots": ["There is no such robot here."]})
    return found


def _done(request: Request, message: int, verb: Verb) -> Response:
    """What the verb makes of a robot's message that the caller may see. Raises NotFound."""
    user = caller(request)
    verb(actions.reply_of(visible(request, message)), user)
    (shape,) = encoded(request, user, visible(request, message))
    return Response(shape)
