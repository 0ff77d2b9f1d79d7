"""What robots are told of the beginning of a conversation that is too long for them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_calls import asked, caller
from accounts.api_schema import errors
from messages.audience import Audience
from robots.models import Summary
from rooms.api.fields import ChoiceField
from rooms.api.pages import Page
from rooms.api.rooms import seat_in


class SummarySerializer(serializers.Serializer[Any]):
    """What is told instead of the messages up to `upto`, in answers of one audience."""

    audience = serializers.ChoiceField(Audience.choices, help_text="Of the answers.")
    to = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of users.")
    robot = serializers.IntegerField(
        source="robot_id", allow_null=True, help_text="Whose answers alone it is for."
    )
    body = serializers.CharField()
    upto = serializers.IntegerField(help_text="Id of the newest message it rests on.")
    made_at = serializers.DateTimeField()
    model = serializers.CharField(help_text="That wrote it.")


class SummaryPage(Page):
    """Some summaries."""

    results = SummarySerializer(many=True)


class SummaryQuery(serializers.Serializer[Any]):
    """Which summaries one wants."""

    audience = ChoiceField(Audience.choices, required=False, default="")


class SummariesView(APIView):
    """The summaries of a room."""

    @extend_schema(
        operation_id="read_summaries",
        parameters=[OpenApiParameter("audience", OpenApiTypes.STR, enum=Audience.values)],
        responses={200: SummaryPage, **errors(400, 401, 403, 404)},
    )
    def get(self, request: Request, room: int) -> Response:
        """Those that rest on what one may see, the newest first; for who manages the room."""
        seat, wanted = seat_in(request, room), asked(SummaryQuery, request)
        found = Summary.objects.readable(seat.room, by=caller(request), **wanted)
        return Response({"results": SummarySerializer(found, many=True).data, "next": None})
