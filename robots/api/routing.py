"""Who can answer this? Robots are proposed; the person who asks chooses."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_calls import caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.throttles import CallThrottle, PostThrottle
from robots import router
from rooms.api.fields import IdField
from rooms.api.rooms import own_room

LONGEST_QUESTION = 16_000


class Wanted(serializers.Serializer[Any]):
    """What is to be answered, and where."""

    question = TextField(max_length=LONGEST_QUESTION)
    room = IdField(
        required=False,
        allow_null=True,
        help_text="Left out: any robot of the site, for agents and above.",
    )


class ProposalSerializer(serializers.Serializer[Any]):
    """A robot that may know."""

    robot = serializers.IntegerField(source="robot.pk")
    handle = serializers.CharField(source="robot.user.handle")
    name = serializers.CharField(source="robot.user.name")
    reason = serializers.CharField(help_text="In words, for the person who chooses.")
    score = serializers.FloatField(help_text="0 to 1, to compare it with the others.")


class RouteView(APIView):
    """Robots for a question."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="route_question",
        request=Wanted,
        responses={200: ProposalSerializer(many=True), **errors(400, 401, 403, 404)},
    )
    def post(self, request: Request) -> Response:
        """At most five that may know, best first; none where nothing speaks for any."""
        user, given = caller(request), valid(Wanted, request.data)
        pk = given.get("room")
        room = own_room(user, pk) if pk is not None else None
        proposals = router.propose(given["question"], by=user, room=room)
        return Response(ProposalSerializer(proposals, many=True).data)
