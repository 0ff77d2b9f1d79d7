"""Searching what was said."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_calls import asked, caller
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.throttles import CallThrottle, SearchThrottle
from messages.api.shapes import MessageSerializer
from messages.encoding import encode_for
from messages.search import search
from rooms.api.pages import PAGING, Page, Paging
from rooms.modes import Mode


class SearchQuery(Paging):
    """What one looks for."""

    q = TextField(allow_blank=True)


class PartSerializer(serializers.Serializer[Any]):
    """A piece of text, of which all or nothing is what was looked for."""

    text = serializers.CharField()
    match = serializers.BooleanField()


class FoundRoom(serializers.Serializer[Any]):
    """Where it was said, as the caller calls it."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    mode = serializers.ChoiceField(Mode.choices)
    direct = serializers.BooleanField()
    parent = serializers.IntegerField(allow_null=True)  # type: ignore[assignment]


class ResultSerializer(serializers.Serializer[Any]):
    """A message that was found."""

    room = FoundRoom()
    message = MessageSerializer()
    highlight = PartSerializer(many=True, help_text="Some of its text, which is not HTML.")


class ResultPage(Page):
    """Some of what was found."""

    results = ResultSerializer(many=True)


class SearchView(APIView):
    """All that one may see."""

    throttle_classes = (CallThrottle, SearchThrottle)

    @extend_schema(
        operation_id="search",
        parameters=[
            OpenApiParameter(
                "q",
                OpenApiTypes.STR,
                required=True,
                description='Words, "phrases", -these, from:, in:, before:, after:, has:file.',
            ),
            *PAGING,
        ],
        responses={200: ResultPage, **errors(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """The newest first."""
        wanted, user = asked(SearchQuery, request), caller(request)
        found = search(wanted["q"], by=user, before=wanted.get("cursor"), limit=wanted["limit"])
        messages = encode_for(user, [hit.message for hit in found.hits])
        return Response(
            {
                "results": [
                    {
                        "room": {
                            "id": message["room"],
                            "name": found.rooms.names[message["room"]],
                            "mode": found.rooms.rooms[message["room"]].mode,
                            "direct": found.rooms.rooms[message["room"]].is_direct,
                            "parent": found.rooms.rooms[message["room"]].parent_id,
                        },
                        "message": message,
                        "highlight": hit.highlight,
                    }
                    for hit, message in zip(found.hits, messages, strict=True)
                ],
                "next": str(found.next) if found.next else None,
            }
        )
