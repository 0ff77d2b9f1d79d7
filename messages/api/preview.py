"""How what is being written will look."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_calls import valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.throttles import CallThrottle, PostThrottle
from messages.preview import preview
from rooms.api.rooms import seat_in


class Words(serializers.Serializer[Any]):
    """What is being written."""

    body = TextField(trim_whitespace=False, help_text="Markdown, up to 16,000 code points.")


class PreviewSerializer(serializers.Serializer[Any]):
    """How it looks, and whom it calls."""

    html = serializers.CharField()
    mentions = serializers.ListField(
        child=serializers.CharField(),
        help_text="Handles that reach somebody in the room whom the caller may know of.",
    )


class PreviewView(APIView):
    """A message before it is one."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="preview_message",
        request=Words,
        responses={200: PreviewSerializer, **errors(400, 401, 404)},
    )
    def post(self, request: Request, room: int) -> Response:
        """The HTML it would have. Nothing is posted."""
        seat = seat_in(request, room)
        shown = preview(valid(Words, request.data)["body"], by=seat)
        return Response({"html": shown.html, "mentions": sorted(shown.mentions)})
